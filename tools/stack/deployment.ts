import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { answers } from './answers.ts';
import { makeFolder, stackFolder } from './folders.ts';

const file = path.join(stackFolder, 'deployment.json');

const deployment = z.object({
  /** The API's base URL, without a slash at its end. */
  url: z.url(),
  endpoint: z.url(),
  /** Of what was deployed. */
  fingerprint: z.string(),
});
export type Deployment = z.output<typeof deployment>;

/** What was deployed last from this checkout, if anything was. */
export function readDeployment(): Deployment | undefined {
  try {
    return deployment.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not there, or cut off: deploying again makes it anew.
    return undefined;
  }
}

export function keepDeployment(made: Deployment): void {
  makeFolder(stackFolder);
  writeFileSync(file, `${JSON.stringify(made, undefined, 2)}\n`);
}

export const forgetDeployment = (): void => rmSync(file, { force: true });

/** Whether the API of the deployment answers. */
export const apiAnswers = ({ url }: Deployment): Promise<boolean> => answers(`${url}/health`);
