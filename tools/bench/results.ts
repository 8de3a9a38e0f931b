import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { circumstances } from './machine.ts';

/** The file with the recorded measurement of every figure. docs/benchmarks.md is written from it. */
const file = path.join(import.meta.dirname, 'results.json');

const numbers = z.array(z.number());
const result = z.object({
  circumstances,
  measurements: z.array(
    z.object({
      what: z.string(),
      unit: z.string(),
      values: numbers,
      reference: z.object({ what: z.string(), values: numbers }).exactOptional(),
      bar: z.union([z.object({ atLeast: z.number() }), z.object({ atMost: z.number() })]).exactOptional(),
    }),
  ),
});
export type Result = z.output<typeof result>;
const results = z.record(z.string(), result);

/** Returns the recorded results by the name of the figure. */
export const readResults = (): Record<string, Result> => results.parse(JSON.parse(readFileSync(file, 'utf8')));

/** Records a result, which replaces the previous one of that figure. */
export function recordResult(name: string, measured: Result): void {
  writeFileSync(file, `${JSON.stringify({ ...readResults(), [name]: measured }, rounded, 1)}\n`);
}

/** Rounds numbers to four digits; further digits are noise. */
const rounded = (_key: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
