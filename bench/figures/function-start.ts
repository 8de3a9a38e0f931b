import type { FunctionName } from '../../infra/functions.ts';
import { environmentOf } from '../../test/support/providers.ts';
import { figure, type Measurement } from '../figure.ts';
import { type Bundles, makeBundles } from '../functions/bundles.ts';
import { type Start, start } from '../functions/starts.ts';

const create: FunctionName = 'createMessage';
/** Some of every kind: what each takes follows from the packages in it. */
const others = { full: ['getMessage', 'searchChat', 'storeWorker', 'fallback'], smoke: [] } as const;
const rounds = { full: 25, smoke: 2 };

export const functionStart = figure({
  title: 'AWS: the start of a function',
  about: `What a function does before its first call: reading and running its bundle, until the handler is there, each time in a new process of
    Node.js; the time is the processor's. The reference is a bare handler of the same two calls of the SDK as a create, bundled alike,
    in a start right after it.`,
  measure: async ({ scale, say }) => {
    // Making all bundles takes some seconds.
    const bundles = await makeBundles(scale === 'smoke' ? [create] : undefined);
    try {
      const names: FunctionName[] = [create, ...others[scale]];
      const starts = new Map(names.map((name) => [name, [] as Start[]]));
      const bare = new Map(names.map((name) => [name, [] as Start[]]));
      for (let round = 0; round < rounds[scale]; round++) {
        if (round % 5 === 0) say(`start ${round + 1} of ${rounds[scale]} of each`);
        for (const name of names) {
          starts.get(name)?.push(await start(bundles.fileOf(name), await environmentOf(name)));
          bare.get(name)?.push(await start(bundles.bare, await environmentOf(create)));
        }
      }
      return [
        ...names.map((name) => measured(name, starts.get(name) ?? [], bare.get(name) ?? [])),
        sizeOf(`size of ${create}`, bundles.fileOf(create), bundles, 350),
        largest(bundles),
      ];
    } finally {
      await bundles.remove();
    }
  },
});

const measured = (name: FunctionName, starts: Start[], bare: Start[]): Measurement => ({
  what: `start of ${name}`,
  unit: 'ms',
  values: starts.map(({ cpuMs }) => cpuMs),
  reference: { what: 'bare handler', values: bare.map(({ cpuMs }) => cpuMs) },
  ...(name === create && { bar: { atMost: 1.3 } }),
});

const kilobytes = (bundles: Bundles, file: string): number => (bundles.sizes.get(file) ?? Number.NaN) / 1_000;

const sizeOf = (what: string, file: string, bundles: Bundles, atMost?: number): Measurement => ({
  what,
  unit: 'kB',
  values: [kilobytes(bundles, file)],
  ...(atMost !== undefined && { bar: { atMost } }),
});

function largest(bundles: Bundles): Measurement {
  const [file] = [...bundles.sizes.keys()].toSorted((a, b) => kilobytes(bundles, b) - kilobytes(bundles, a));
  return sizeOf('size of the largest function', file ?? '', bundles);
}
