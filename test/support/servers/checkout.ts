import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const project = path.resolve(import.meta.dirname, '../../..');

const parts = [
  'script',
  'tools',
  'lib',
  'functions',
  'infra',
  'local',
  'package.json',
  'package-lock.json',
  'cdk.json',
  'tsconfig.json',
];

/** Copies the working tree to a second checkout, in a folder that every user can read. */
export function copyCheckout(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-checkout-'));
  for (const part of parts) cpSync(path.join(project, part), path.join(folder, part), { recursive: true });
  symlinkSync(path.join(project, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

export const removeCheckout = (folder: string): void => rmSync(folder, { recursive: true, force: true });

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Variables that a shell may set. script/stack must find its earlier settings without them. */
const ownSettings = /^(STACK_|AWS_|MYSQL_URL|OPENSEARCH_URL)/;

/** Runs script/stack of the checkout to its end. */
export function scriptStack(checkout: string, ...args: string[]): Promise<Ended> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !ownSettings.test(name) || name === 'STACK_CACHE'),
  );
  // The functions' logs are longer than the default limit of execFile.
  const options = { env, maxBuffer: Number.POSITIVE_INFINITY };
  return new Promise((resolve) => {
    const child = execFile(path.join(checkout, 'script/stack'), args, options, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}
