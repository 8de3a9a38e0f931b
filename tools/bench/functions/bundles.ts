import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import { credentialsOfLambda, removalPlugins } from '../../../infra/bundle-plugins.ts';
import { bundleFolder, bundleFunctions, bundling } from '../../../infra/bundles.ts';
import type { FunctionName } from '../../../infra/functions.ts';

const references = path.join(import.meta.dirname, '../references');

/** Bundles of functions as they are deployed, and bundles of the bare handler. */
export interface Bundles {
  fileOf: (name: FunctionName) => string;
  /**
   * The bare handler, bundled with the same options, and with credentials only from the environment as is usual on
   * Lambda.
   */
  bare: string;
  /** The bare handler, bundled with the plugins that our functions are bundled with. */
  bareWithPlugins: string;
  /** The bare handler that reads messages, bundled with the plugins that our functions are bundled with. */
  bareReads: string;
  /** The sizes of the functions' bundles in bytes. */
  sizes: Map<FunctionName, number>;
  remove: () => Promise<void>;
}

export async function makeBundles(names: FunctionName[]): Promise<Bundles> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-bundles-'));
  const fileOf = (name: FunctionName) => path.join(bundleFolder(folder, name), 'index.mjs');
  const bundleBare = async (name: string, plugins: Plugin[], handler = 'bare-create.ts'): Promise<string> => {
    const outfile = path.join(folder, name, 'index.mjs');
    await build({ ...bundling, entryPoints: [path.join(references, handler)], outfile, plugins });
    return outfile;
  };
  const { outputs } = await bundleFunctions(folder, names);
  const sizes = new Map(Object.entries(outputs).map(([file, { bytes }]) => [path.resolve(project, file), bytes]));
  return {
    fileOf,
    bare: await bundleBare('bare', [credentialsOfLambda]),
    bareWithPlugins: await bundleBare('bare-with-plugins', removalPlugins),
    bareReads: await bundleBare('bare-reads', removalPlugins, 'bare-mysql-reads.ts'),
    sizes: new Map(names.map((name) => [name, sizes.get(fileOf(name)) ?? Number.NaN])),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** The folder that esbuild's paths are relative to. */
const project = bundling.absWorkingDir;
