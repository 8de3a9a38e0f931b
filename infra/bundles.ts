import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { queueNames, queueService } from '../functions/queues.ts';
import { cuts } from './bundle-cuts.ts';
import { type FunctionEntry, type FunctionName, functions, kebabCase } from './functions.ts';
import { packageFolders, thirdPartyNotices } from './third-party-notices.ts';

const project = path.resolve(import.meta.dirname, '..');

/** What the licences of the packages in a bundle ask to be kept is in this file beside it. */
export const noticesFile = 'THIRD-PARTY-NOTICES.txt';

/** The folder of a function's bundle, in the folder of all. */
export const bundleFolder = (bundles: string, name: FunctionName): string => path.join(bundles, kebabCase(name));

/** How code is bundled for Lambda, whatever it is. */
export const bundling = {
  absWorkingDir: project,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // The SDK's ES modules lose what is not used; its CommonJS ones can't.
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: true,
  // A stack trace needs names and lines; the text is in the repository.
  sourcesContent: false,
  metafile: true,
  // mysql2 and others are CommonJS and require Node.js's own modules when they are loaded.
  banner: {
    js: "import { createRequire as requireIn } from 'node:module'; const require = requireIn(import.meta.url);",
  },
  // lib/api imports zod-openapi for its types.
  logOverride: { 'ignored-bare-import': 'silent' },
} satisfies BuildOptions;

/**
 * Makes the bundles of functions: `<bundles>/<function>/index.mjs`, its source map, and the notices of the packages in it.
 *
 * @param bundles a folder
 * @returns what went into each, paths relative to the project
 * @throws Error when the licence of a package is not one of those allowed
 */
export async function bundleFunctions(
  bundles: string,
  names = Object.keys(functions) as FunctionName[],
): Promise<Metafile> {
  const { metafile } = await build({
    ...bundling,
    entryPoints: names.map((name) => ({ in: `function:${name}`, out: path.join(kebabCase(name), 'index') })),
    outdir: bundles,
    plugins: [functionEntries, ...cuts],
  });
  await Promise.all(
    names.map(async (name) => {
      const [folder, files] = [bundleFolder(bundles, name), functions[name].files ?? []];
      await copy(files, folder);
      const packages = packageFolders([...filesIn(metafile, path.join(folder, 'index.mjs')), ...files]);
      await writeFile(path.join(folder, noticesFile), thirdPartyNotices(project, packages));
    }),
  );
  return metafile;
}

/** The files of which something is in a bundle, relative to the project. */
const filesIn = ({ outputs }: Metafile, bundle: string): string[] =>
  Object.entries(outputs[path.relative(project, bundle)]?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file);

const copy = (files: string[], folder: string) =>
  Promise.all(files.map((file) => cp(path.join(project, file), path.join(folder, file))));

/** Each function's entry: the code, called with the services it needs, which are made while the function starts. */
const functionEntries: Plugin = {
  name: 'function-entries',
  setup(build) {
    build.onResolve({ filter: /^function:/ }, ({ path }) => ({
      path: path.slice('function:'.length),
      namespace: 'function',
    }));
    build.onLoad({ filter: /.*/, namespace: 'function' }, ({ path: name }) => ({
      contents: entryOf(name as FunctionName, functions[name as FunctionName]),
      resolveDir: project,
    }));
  },
};

const queueServices: string[] = queueNames.map(queueService);

function entryOf(name: FunctionName, { file, needs, queue }: FunctionEntry): string {
  const ofQueues = needs.filter((need) => queueServices.includes(need));
  const others = needs.filter((need) => !ofQueues.includes(need));
  const providers = [...others, ...ofQueues.map((need) => `${need}: queueProviders.${need}`)];
  return [
    `import { ${name} } from './${file}';`,
    `import { bind } from './functions/aws/provider.ts';`,
    ...others.map((need) => `import { ${need} } from './functions/aws/${kebabCase(need)}.ts';`),
    ...(ofQueues.length > 0 ? [`import { queueProviders } from './functions/aws/queues.ts';`] : []),
    ...(queue ? [`import { backingOff } from './functions/aws/back-off.ts';`] : []),
    `const services = await bind({ ${providers.join(', ')} });`,
    `const made = ${name}(services);`,
    `export const handler = ${queue ? `backingOff(made, services.${queueService(queue)})` : 'made'};`,
  ].join('\n');
}
