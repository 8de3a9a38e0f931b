import type { Figure } from './figure.ts';
import { cost } from './figures/cost.ts';
import { embeddedCreate } from './figures/embedded-create.ts';
import { scaling } from './figures/scaling.ts';

/** All figures, in the order of the document; a name is what `script/bench` takes. */
export const figures: Record<string, Figure> = {
  'embedded-create': embeddedCreate,
  cost,
  scaling,
};
