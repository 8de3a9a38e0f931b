import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import { removalPlugins } from '../../infra/bundle-plugins.ts';
import { bundleFolder, bundleFunctions, bundling, noticesFile } from '../../infra/bundles.ts';
import { type FunctionName, functions, kebabCase } from '../../infra/functions.ts';
import { acceptsWrites, type Route, readsOnly, routes } from '../../lib/api/routes.ts';
import { events } from '../../tools/bench/functions/events.ts';
import { environmentOf } from '../../tools/bench/functions/sample-environment.ts';

const bundles = mkdtempSync(path.join(tmpdir(), 'chat-system-bundles-'));
const { outputs } = await bundleFunctions(bundles);
afterAll(() => rm(bundles, { recursive: true }));

const names = Object.keys(functions) as FunctionName[];
const operations = Object.entries<Route>(routes);
const writes = operations
  .filter(([, route]) => acceptsWrites(route) && !route.needs.includes('store'))
  .map(([name]) => name as FunctionName);

/** Returns a bundle: its size in bytes, its input files and packages, and the modules of Node.js it imports. */
function bundleOf(name: FunctionName) {
  const found = Object.entries(outputs).find(([file]) => file.endsWith(`/${kebabCase(name)}/index.mjs`));
  if (!found) throw new Error(`there is no bundle of ${name}`);
  const [, { bytes, inputs, imports }] = found;
  const files = Object.entries(inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file);
  const packages = new Set(files.flatMap((file) => file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []));
  return { bytes, files, packages: [...packages], nodeModules: imports.map((each) => each.path) };
}

test.each(names)('the bundle of %s contains no code of a host, the embedded engine or the deployment', (name) => {
  const { files, nodeModules } = bundleOf(name);
  expect(files.filter((file) => /^(local|test|infra|demo)\/|embedded|sqlite/.test(file))).toEqual([]);
  expect(nodeModules).not.toContain('node:sqlite');
});

test.each(writes)(
  'the bundle of %s contains the clients of DynamoDB and SQS, and none of MySQL and OpenSearch',
  (name) => {
    const { packages } = bundleOf(name);
    expect(packages).toEqual(expect.arrayContaining(['@aws-sdk/client-dynamodb', '@aws-sdk/client-sqs']));
    for (const absent of ['mysql2', 'kysely', '@opensearch-project/opensearch']) expect(packages).not.toContain(absent);
  },
);

test('functions that only read do not bundle the client of SQS', () => {
  const carriers = names.filter((name) => bundleOf(name).packages.includes('@aws-sdk/client-sqs'));
  const senders = operations.filter(([, route]) => !readsOnly(route)).map(([name]) => name);
  const others = ['storeWorker', 'searchWorker', 'feedWorker', 'purgeSchedule', 'sweepSchedule'];
  expect(carriers.sort()).toEqual([...senders, ...others].sort());
});

test('only functions that search, index, purge or migrate bundle the client of OpenSearch', () => {
  const carriers = names.filter((name) => bundleOf(name).packages.includes('@opensearch-project/opensearch'));
  expect(carriers.sort()).toEqual(['migrate', 'purgeSchedule', 'searchApplication', 'searchChat', 'searchWorker']);
});

test('no function bundles a credential provider other than that for environment variables', () => {
  for (const name of names) expect(bundleOf(name).packages).not.toContain('@aws-sdk/credential-provider-node');
});

// Limits in bytes, because a cold start has to compile the bundle. They are at most 3 % above the largest bundle of their
// kind, so that a package more is noticed. The first limit that applies is for a bundle with, in this order: the client
// of OpenSearch; mysql2, with the certificates of RDS, and SQS; mysql2 without SQS; SQS; another client of AWS; the full
// zod for the OpenAPI document; the page of the console; only zod/mini and the logger.
test.each(names)('the bundle of %s is small', (name) => {
  const { bytes, packages } = bundleOf(name);
  const has = (name: string) => packages.includes(name);
  const limit = [
    ...(has('@opensearch-project/opensearch') ? [1_230_000] : []),
    ...(has('mysql2') && has('@aws-sdk/client-sqs') ? [1_130_000] : []),
    ...(has('mysql2') ? [1_070_000] : []),
    ...(has('@aws-sdk/client-sqs') ? [380_000] : []),
    ...(packages.some((each) => each.startsWith('@aws-sdk/')) ? [325_000] : []),
    ...(name === 'getOpenapi' ? [215_000] : []),
    ...(name === 'getConsole' ? [185_000] : []),
    112_000,
  ][0];
  expect(bytes).toBeLessThan(limit as number);
});

test.each(names)('the notices of the packages in the bundle of %s are beside it', (name) => {
  const notices = readFileSync(path.join(bundleFolder(bundles, name), noticesFile), 'utf8');
  const packages = [...bundleOf(name).packages, ...(name === 'getDocs' ? ['swagger-ui-dist'] : [])];
  // MIT-0 requires no notice.
  for (const each of packages.filter((one) => !one.startsWith('@aws-lambda-powertools/')))
    expect(notices).toMatch(new RegExp(`^${each} \\S+ \\((MIT|Apache-2.0|BSD-3-Clause|ISC)\\)$`, 'm'));
});

test('no bundle contains the event streams of the AWS SDK', () => {
  for (const name of names)
    expect(bundleOf(name).files.filter((file) => file.includes('submodules/event-streams'))).toEqual([]);
});

test('no bundle contains the character sets of iconv-lite', () => {
  for (const name of names) expect(bundleOf(name).packages).not.toContain('iconv-lite');
});

test('a bundle decodes the notes of a server whose default character set Node.js does not know', async () => {
  const outfile = path.join(bundles, 'decode.mjs');
  await build({
    ...bundling,
    stdin: {
      contents: `export { decode } from './node_modules/mysql2/lib/parsers/string.js';`,
      resolveDir: bundling.absWorkingDir,
    },
    outfile,
    plugins: removalPlugins,
  });
  const { decode } = await import(outfile);
  // mysql2's name for the character set utf8mb3.
  expect(decode(Buffer.from('Rows matched: 1'), 'cesu8', 0, 15)).toBe('Rows matched: 1');
});

test('a bundle contains only the namespace of the OpenSearch client that its code uses', () => {
  for (const name of ['searchChat', 'migrate'] as const) {
    const operations = bundleOf(name).files.filter((file) => /opensearch\/api\/\w+\/(?!_api)/.test(file));
    const namespaces = new Set(operations.map((file) => file.match(/opensearch\/api\/(\w+)/)?.[1]));
    expect([...namespaces].sort()).toEqual(['_core', 'indices']);
  }
});

test('no bundle imports node:http, because the import would load undici', () => {
  for (const name of names)
    expect(readFileSync(path.join(bundleFolder(bundles, name), 'index.mjs'), 'utf8')).not.toMatch(/from"(node:)?http"/);
});

test('only the function that serves the OpenAPI document bundles its schemas and the full zod', () => {
  const carriers = names.filter((name) =>
    bundleOf(name).files.some((file) => /zod\/v4\/classic|api\/responses/.test(file)),
  );
  expect(carriers).toEqual(['getOpenapi']);
});

test('a source map names our files and does not contain their text', () => {
  const map = JSON.parse(readFileSync(path.join(bundleFolder(bundles, 'createMessage'), 'index.mjs.map'), 'utf8'));
  expect(map.sources.some((source: string) => source.endsWith('/functions/api/create-message.ts'))).toBe(true);
  expect(map.sourcesContent).toBeUndefined();
});

describe('a bundle in Node.js, with only the environment variables that it declares:', () => {
  /** Loads a bundle as Lambda does, and prints the value of an expression about its `handler`. */
  const start = async (name: FunctionName, environment: Record<string, string>, expression = 'typeof handler') => {
    const file = pathToFileURL(path.join(bundleFolder(bundles, name), 'index.mjs')).href;
    const script = `const { handler } = await import(${JSON.stringify(file)}); console.log(${expression}); process.exit();`;
    const env = { AWS_REGION: 'eu-central-1', ...environment };
    return await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  };

  test.each(names)('the bundle of %s starts and has a handler', async (name) => {
    expect((await start(name, await environmentOf(name))).stdout).toBe('function\n');
  });

  test('an error is logged with positions in our sources', async () => {
    const failing = `{ get: () => { throw new Error('unexpected'); } }`;
    const event = `Object.defineProperty(${JSON.stringify(events.getMessage)}, 'pathParameters', ${failing})`;
    const call = `(await handler(${event}, { awsRequestId: 'one' })).statusCode`;
    const { stdout, stderr } = await start('getMessage', await environmentOf('getMessage'), call);
    expect(stdout).toMatch(/^500$/m);
    expect(stderr).toMatch(/functions\/runtime\/http\/admission\.ts:\d+:\d+/);
  });

  test('the docs page finds its script and style in its bundle', async () => {
    const event = { httpMethod: 'GET', resource: '/docs', path: '/docs', headers: {} };
    const { stdout } = await start(
      'getDocs',
      {},
      `(await handler(${JSON.stringify(event)}, { awsRequestId: 'one' })).statusCode`,
    );
    expect(stdout).toBe('200\n');
  });

  test('a function without its environment variables names all that are missing', async () => {
    await expect(start('createMessage', { STORE_QUEUE_URL: 'nowhere' })).rejects.toThrow(
      /environment variable LEDGER_TABLE: .*environment variable STORE_QUEUE_URL: /,
    );
  });
});
