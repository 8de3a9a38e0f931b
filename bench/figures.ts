import type { Figure } from './figure.ts';
import { embeddedCreate } from './figures/embedded-create.ts';
import { functionCpu } from './figures/function-cpu.ts';
import { functionStart } from './figures/function-start.ts';

/** All figures, in the order of the document; a name is what `script/bench` takes. */
export const figures: Record<string, Figure> = {
  'embedded-create': embeddedCreate,
  'function-cpu': functionCpu,
  'function-start': functionStart,
};
