import { registerHooks } from 'node:module';
import { mutations } from './mutations.ts';

/**
 * Plants a bug in what this thread loads from now on: whoever imports the module gets one of its exports with the bug.
 * The module itself is loaded unchanged under another URL.
 *
 * @param index of the bug in `mutations`
 * @returns whether the module has been loaded since
 */
export function plant(index: number): () => boolean {
  const mutation = mutations[index];
  if (!mutation) throw new Error(`There is no mutation with the index ${index}`);
  const url = new URL(`../../${mutation.file}`, import.meta.url).href;
  const unchanged = JSON.stringify(`${url}?unchanged`);
  const source = `
    import * as unchanged from ${unchanged};
    import { mutations } from ${JSON.stringify(new URL('./mutations.ts', import.meta.url).href)};
    export * from ${unchanged};
    const { ${mutation.export}: replaced } = unchanged;
    if (replaced === undefined) throw new Error(${JSON.stringify(`${mutation.file} does not export ${mutation.export}`)});
    const planted = mutations[${index}].plant(unchanged);
    export { planted as ${mutation.export} };
  `;
  let isLoaded = false;
  registerHooks({
    load(loaded, context, nextLoad) {
      if (loaded !== url) return nextLoad(loaded, context);
      isLoaded = true;
      return { format: 'module', source, shortCircuit: true };
    },
  });
  return () => isLoaded;
}
