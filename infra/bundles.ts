import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { queueNames, queueService } from '../functions/queues.ts';
import { removalPlugins } from './bundle-plugins.ts';
import { type FunctionEntry, type FunctionName, functions, kebabCase, providerOf } from './functions.ts';
import { packageFolders, thirdPartyNotices } from './third-party-notices.ts';

const project = path.resolve(import.meta.dirname, '..');

/** The file in each bundle's folder with the notices that the licences of its packages require. */
export const noticesFile = 'THIRD-PARTY-NOTICES.txt';

/** Returns the folder of a function's bundle, in the folder of all bundles. */
export const bundleFolder = (bundles: string, name: FunctionName): string => path.join(bundles, kebabCase(name));

/** The esbuild options for all code that runs on Lambda. */
export const bundling = {
  absWorkingDir: project,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // esbuild can drop unused code only from ES modules, so prefer those of the AWS SDK to the CommonJS ones.
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: true,
  // Stack traces need only names and lines. The source text is in the repository.
  sourcesContent: false,
  metafile: true,
  // mysql2 and other CommonJS packages call `require` for modules of Node.js, which an ES module does not have.
  banner: {
    js: "import { createRequire as requireIn } from 'node:module'; const require = requireIn(import.meta.url);",
  },
  // lib/api imports zod-openapi only for its types.
  logOverride: { 'ignored-bare-import': 'silent' },
} satisfies BuildOptions;

/**
 * Bundles functions: writes `<bundles>/<function>/index.mjs`, its source map, and the notices of the packages in it.
 *
 * @param bundles the folder for the bundles
 * @returns the inputs of each bundle, with paths relative to the project
 * @throws Error when the licence of a package is not allowed
 */
export async function bundleFunctions(
  bundles: string,
  names = Object.keys(functions) as FunctionName[],
): Promise<Metafile> {
  const { metafile } = await build({
    ...bundling,
    entryPoints: names.map((name) => ({ in: `function:${name}`, out: path.join(kebabCase(name), 'index') })),
    outdir: bundles,
    plugins: [functionEntries, ...removalPlugins],
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

/** Returns the files that contribute to a bundle, relative to the project. */
const filesIn = ({ outputs }: Metafile, bundle: string): string[] =>
  Object.entries(outputs[path.relative(project, bundle)]?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file);

const copy = (files: string[], folder: string) =>
  Promise.all(files.map((file) => cp(path.join(project, file), path.join(folder, file))));

/** Generates the entry of each function: it creates the services during the cold start and passes them to the code. */
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

function entryOf(name: FunctionName, entry: FunctionEntry): string {
  const { file, needs, queue } = entry;
  const ofQueues = needs.filter((need) => queueServices.includes(need));
  const others = needs
    .filter((need) => !ofQueues.includes(need))
    .map((need) => [need, providerOf(entry, need)] as const);
  const providers = [
    ...others.map((each) => each.join(': ')),
    ...ofQueues.map((need) => `${need}: queueProviders.${need}`),
  ];
  return [
    `import { ${name} } from './${file}';`,
    `import { bind } from './functions/aws/provider.ts';`,
    ...others.map(([, provider]) => `import { ${provider} } from './functions/aws/${kebabCase(provider)}.ts';`),
    ...(ofQueues.length > 0 ? [`import { queueProviders } from './functions/aws/queues.ts';`] : []),
    ...(queue ? [`import { backingOff } from './functions/aws/back-off.ts';`] : []),
    `const services = await bind({ ${providers.join(', ')} });`,
    `const made = ${name}(services);`,
    `export const handler = ${queue ? `backingOff(made, services.${queueService(queue)})` : 'made'};`,
  ].join('\n');
}
