import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { bundleFolder, bundleFunctions, bundling } from '../../infra/bundles.ts';
import type { FunctionName } from '../../infra/functions.ts';

/** Bundles of functions as they are deployed, and that of the bare handler made alike. */
export interface Bundles {
  fileOf: (name: FunctionName) => string;
  bare: string;
  /** In bytes, by the file. */
  sizes: Map<string, number>;
  remove: () => Promise<void>;
}

/** @param names without them, all functions */
export async function makeBundles(names?: FunctionName[]): Promise<Bundles> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-bundles-'));
  const bare = path.join(folder, 'bare', 'index.mjs');
  const metafiles = [
    await bundleFunctions(folder, names),
    (
      await build({
        ...bundling,
        entryPoints: [path.join(import.meta.dirname, '../references/bare-create.ts')],
        outfile: bare,
      })
    ).metafile,
  ];
  const sizes = metafiles.flatMap(({ outputs }) =>
    Object.entries(outputs).map(([file, { bytes }]): [string, number] => [
      path.resolve(bundling.absWorkingDir, file),
      bytes,
    ]),
  );
  return {
    fileOf: (name) => path.join(bundleFolder(folder, name), 'index.mjs'),
    bare,
    sizes: new Map(sizes.filter(([file]) => file.endsWith('.mjs'))),
    remove: () => rm(folder, { recursive: true }),
  };
}
