import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumFile } from '../servers/browser.ts';

/** Starts a Chromium that a test controls. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumFile(), args: ['--no-sandbox', '--disable-dev-shm-usage'] });

interface Login {
  /** The base URL of the API. */
  url: string;
  token: string;
  /** The place to open, such as `#1` for chat 1. */
  hash?: string;
}

/** The console with an open application. */
export interface ConsolePage {
  page: Page;
  /** Every error on the page, and every request with the token in its URL. */
  faults: string[];
  close: () => Promise<void>;
}

/**
 * Opens the console in a browser context of its own, and logs in with a token.
 *
 * @param prepare called before the page is loaded
 */
export async function openConsole(
  browser: Browser,
  { url, token, hash = '' }: Login,
  more: BrowserContextOptions = {},
  prepare: (page: Page) => Promise<void> = async () => undefined,
): Promise<ConsolePage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...more });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('request', (request) => request.url().includes(token) && faults.push(request.url()));
  await prepare(page);
  await page.goto(`${url}/console${hash}`);
  await page.fill('#token', token);
  await page.getByRole('button', { name: 'Open application' }).click();
  await page.locator('.workspace').waitFor();
  return { page, faults, close: () => context.close() };
}

/** Waits until the page says that changes appear by themselves. */
export const untilLive = (page: Page): Promise<void> => page.getByText('Live', { exact: true }).waitFor();

/** Returns the bodies of the messages on the page. */
export const bodiesOf = (page: Page): Promise<string[]> => page.locator('.body').allTextContents();
