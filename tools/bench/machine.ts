import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import * as z from 'zod';
import { project } from '../cli/project.ts';

export const circumstances = z.object({
  /** The day in the format 2026-11-21. */
  date: z.string(),
  /** Ends with + when lib, local or functions have uncommitted changes. */
  commit: z.string(),
  machine: z.string(),
  node: z.string(),
});
export type Circumstances = z.output<typeof circumstances>;

/** Returns the date, commit, machine and Node.js version of a measurement that starts now. */
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
