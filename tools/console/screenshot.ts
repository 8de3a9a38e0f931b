// Takes the picture of the console in the README, docs/images/console.png, from the data of script/demo.
//
//   script/start                                  in another terminal, without an admin key
//   script/demo                                   loads the data; the counts follow within a minute
//   npm run screenshot -- http://localhost:3000/v1
//
// Set CHROMIUM to the program of the browser, if it is not Debian's.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const [url = 'http://localhost:3000/v1'] = process.argv.slice(2);
const images = path.resolve(import.meta.dirname, '../../docs/images');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme: 'light' });
await page.goto(`${url}/console`);
await page.getByRole('button', { name: 'List applications' }).click();
await page.getByRole('button', { name: 'Declaration' }).first().click();
await page.locator('.chats a').nth(3).click();
await page.locator('.message').first().waitFor();
await page.getByLabel('Where to search').selectOption('all');
await page.getByLabel('Text to search').fill('universal');
await page.getByLabel('Text to search').press('Enter');
await page.locator('.results mark').first().waitFor();
await page.locator('.is-live').waitFor();
mkdirSync(images, { recursive: true });
await page.screenshot({ path: path.join(images, 'console.png') });
await browser.close();
