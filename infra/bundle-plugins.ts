import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/**
 * Replaces the default credential provider of the AWS SDK by the one that reads environment variables, where Lambda puts
 * the credentials. The default also includes providers for SSO, STS, profiles and instances: over a quarter of the bundle
 * of a small function.
 */
export const credentialsOfLambda: Plugin = {
  name: 'credentials-of-lambda',
  setup(build) {
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ resolveDir }) => ({
      path: 'credentials',
      namespace: 'credentials',
      pluginData: resolveDir,
    }));
    build.onLoad({ filter: /.*/, namespace: 'credentials' }, ({ pluginData: resolveDir }) => ({
      contents: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';`,
      resolveDir,
    }));
  },
};

/**
 * Removes the event streams of the AWS SDK, which none of our operations uses. The SDK imports them dynamically, and
 * esbuild cannot drop unused code from a dynamic import: half of the SDK's core would be in every bundle.
 */
const noEventStreams: Plugin = {
  name: 'no-event-streams',
  setup(build) {
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: 'event-streams', namespace: 'event-streams' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'event-streams' }, () => ({
      contents: `throw new Error('Event streams are not in the bundle; see infra/bundle-plugins.ts');`,
    }));
  },
};

/**
 * Replaces imports of `node:http` by `require`, which every bundle has for CommonJS packages. An import evaluates all
 * exports of the module, including `WebSocket`, for which Node.js loads undici: 13 ms of a search function's cold start.
 */
const httpRequired: Plugin = {
  name: 'http-required',
  setup(build) {
    build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'node:http', namespace: 'http-required' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'http-required' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * Removes iconv-lite from mysql2, which needs it for character sets that Node.js cannot decode: its tables are a third of
 * a read's bundle. Our connections get rows and error messages in utf8mb4. Only the notes in a response without rows, such
 * as "Rows matched: 1", are in the server's default character set. They are ASCII, so decoding them as UTF-8 is right.
 */
const noCharacterSets: Plugin = {
  name: 'no-character-sets',
  setup(build) {
    build.onResolve({ filter: /^iconv-lite$/ }, () => ({ path: 'iconv-lite', namespace: 'character-sets' }));
    build.onLoad({ filter: /.*/, namespace: 'character-sets' }, () => ({
      contents: `
        exports.getDecoder = () => ({ write: (bytes) => bytes.toString('utf8'), end: () => undefined });
        exports.getEncoder = (name) => {
          throw new Error('An encoder for ' + name + ' is not in the bundle; see infra/bundle-plugins.ts');
        };`,
    }));
  },
};

/**
 * Evaluates large tables of mysql2 when one of their values is first read: the names of the server's errors, and the
 * certificates of RDS. No successful query reads the names.
 */
const tablesOnFirstUse: Plugin = {
  name: 'tables-on-first-use',
  setup(build) {
    build.onLoad({ filter: /mysql2\/lib\/constants\/(errors|ssl_profiles)\.js$/ }, async ({ path }) => ({
      contents: `
        let table;
        function evaluate() {
          const module = { exports: {} }, exports = module.exports;
          ${await readFile(path, 'utf8')}
          return module.exports;
        }
        module.exports = new Proxy({}, { get: (_, key) => (table ??= evaluate())[key] });`,
    }));
  },
};

/**
 * Removes the APIs of the OpenSearch client that none of our calls uses: 36 of 37 namespaces, such as `cat` and `ml`. The
 * client evaluates the modules of all of them when it is loaded.
 */
const noOpensearchNamespaces: Plugin = {
  name: 'no-opensearch-namespaces',
  setup(build) {
    build.onLoad({ filter: /opensearch\/api\/\w+\/_api\.js$/ }, ({ path }) => {
      if (path.endsWith('/indices/_api.js')) return undefined;
      const refusal = `${path.replace(/.*node_modules\//, '')} is not in the bundle; see infra/bundle-plugins.ts`;
      return { contents: `module.exports = function () { throw new Error(${JSON.stringify(refusal)}); };` };
    });
  },
};

/** The plugins that remove code that no function uses, or load it later, to make cold starts faster. */
export const removalPlugins: Plugin[] = [
  credentialsOfLambda,
  noEventStreams,
  httpRequired,
  noCharacterSets,
  tablesOnFirstUse,
  noOpensearchNamespaces,
];
