import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Option } from 'commander';
import * as z from 'zod';
import { project } from './project.ts';

/** Returns the flag `--data-dir`. */
export const dataFolderOption = (description: string): Option =>
  new Option('--data-dir <folder>', description).env('DATA_DIR').default(path.join(project, 'data'));

/** The value of `--data-dir` as an absolute path. */
export const dataFolderSetting = z
  .string()
  .min(1, '--data-dir (DATA_DIR) must not be empty.')
  .transform((folder) => path.resolve(folder));

/**
 * Creates the folder and its missing parents, with access only for this user because the files contain tokens. Does
 * nothing when the folder exists.
 *
 * It does not use `recursive: true`, because Node.js 24 then retries forever when the system refuses a folder whose
 * parent exists, as in /proc.
 *
 * @throws the system's error when the folder cannot be created
 */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || path.dirname(folder) === folder) throw error;
    makeDataFolder(path.dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  }
}
