import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { makeFolder, stackFolder } from './folders.ts';
import { responds } from './responds.ts';

const file = path.join(stackFolder, 'deployment.json');

const deployment = z.object({
  /** The API's base URL, without a trailing slash. */
  url: z.url(),
  endpoint: z.url(),
  /** The fingerprint of the deployed code and servers, see fingerprint.ts. */
  fingerprint: z.string(),
});
export type Deployment = z.output<typeof deployment>;

/** Returns the last deployment from this checkout; undefined when there is none. */
export function readDeployment(): Deployment | undefined {
  try {
    return deployment.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Missing or truncated: the next deployment writes it again.
    return undefined;
  }
}

export function saveDeployment(made: Deployment): void {
  makeFolder(stackFolder);
  writeFileSync(file, `${JSON.stringify(made, undefined, 2)}\n`);
}

export const forgetDeployment = (): void => rmSync(file, { force: true });

/** Returns whether the API of the deployment responds. */
export const apiResponds = ({ url }: Deployment): Promise<boolean> => responds(`${url}/health`);
