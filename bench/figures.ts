import type { Figure } from './figure.ts';
import { cost } from './figures/cost.ts';
import { embeddedBatch } from './figures/embedded-batch.ts';
import { embeddedCreate } from './figures/embedded-create.ts';
import { embeddedLag } from './figures/embedded-lag.ts';
import { embeddedMemory } from './figures/embedded-memory.ts';
import { functionCpu } from './figures/function-cpu.ts';
import { functionStart } from './figures/function-start.ts';
import { scaling } from './figures/scaling.ts';

/** All figures, in the order of the document; a name is what `script/bench` takes. The last ones read what others measured. */
export const figures: Record<string, Figure> = {
  'embedded-create': embeddedCreate,
  'embedded-batch': embeddedBatch,
  'embedded-lag': embeddedLag,
  'embedded-memory': embeddedMemory,
  'function-cpu': functionCpu,
  'function-start': functionStart,
  cost,
  scaling,
};
