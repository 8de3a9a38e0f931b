import { type FunctionName, functions } from '../../../infra/functions.ts';
import { type Bar, figure, type Measurement } from '../figure.ts';
import { makeBundles } from '../functions/bundles.ts';
import { environmentOf } from '../functions/sample-environment.ts';
import { start } from '../functions/starts.ts';

const create: FunctionName = 'createMessage';
const sizes: Record<'full' | 'smoke', { rounds: number; others: FunctionName[]; bundled: FunctionName[] }> = {
  full: {
    rounds: 25,
    // One function of each kind, because the start time depends on the packages in the bundle.
    others: ['getMessage', 'searchChat', 'storeWorker', 'fallback'],
    bundled: Object.keys(functions) as FunctionName[],
  },
  smoke: { rounds: 2, others: [], bundled: [create] },
};

interface Compared {
  name: FunctionName;
  what: string;
  bare: string;
  bar?: Bar;
}

export const functionStart = figure({
  title: 'AWS: the start of a function',
  about: `The CPU time before a function's first call: a new Node.js process reads the bundle and runs it until the handler is
    loaded. The bare handler has the same two SDK calls as a create and is bundled with the same options; once also without
    [the code that our bundler leaves out](decisions/0007-function-bundles.md).`,
  measure: async ({ scale, say }) => {
    const { rounds, others, bundled } = sizes[scale];
    const bundles = await makeBundles(bundled);
    const against = [
      { name: create, what: 'bare handler', bare: bundles.bare, bar: { atMost: 1.3 } },
      { name: create, what: 'bare handler without that code', bare: bundles.bareWithPlugins },
      ...others.map((name) => ({ name, what: 'bare handler', bare: bundles.bare })),
    ].map((each: Compared) => ({ ...each, ours: [] as number[], reference: [] as number[] }));
    try {
      for (let round = 0; round < rounds; round++) {
        if (round % 5 === 0) say(`start ${round + 1} of ${rounds} of each`);
        for (const { name, bare, ours, reference } of against) {
          ours.push(await start(bundles.fileOf(name), await environmentOf(name)));
          reference.push(await start(bare, await environmentOf(create)));
        }
      }
    } finally {
      await bundles.remove();
    }
    const starts = against.map(
      ({ name, what, bar, ours, reference }): Measurement => ({
        what: `start of ${name}`,
        unit: 'ms',
        values: ours,
        reference: { what, values: reference },
        ...(bar && { bar }),
      }),
    );
    return [
      ...starts,
      { what: `size of ${create}`, unit: 'kB', values: [kilobytes(bundles.sizes.get(create))], bar: { atMost: 350 } },
      { what: 'size of the largest function', unit: 'kB', values: [kilobytes(Math.max(...bundles.sizes.values()))] },
    ];
  },
});

const kilobytes = (bytes = Number.NaN): number => bytes / 1_000;
