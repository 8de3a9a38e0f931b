import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import path from 'node:path';
import * as z from 'zod';

const project = path.resolve(import.meta.dirname, '../..');

export const circumstances = z.object({
  /** The day, as 2026-11-21. */
  date: z.string(),
  commit: z.string(),
  machine: z.string(),
  node: z.string(),
});
export type Circumstances = z.output<typeof circumstances>;

/** When, on what, and with what is measured now. */
export function circumstancesNow(): Circumstances {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: project, encoding: 'utf8' }).trim();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit:
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'lib', 'local', 'functions') && '+'),
    machine: `${availableParallelism()} × ${modelOfProcessor()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}`,
    node: process.versions.node,
  };
}

function modelOfProcessor(): string {
  const [first] = cpus();
  return first?.model.trim() || 'unknown processor';
}
