import type { Plugin } from 'esbuild';

/**
 * Lambda puts a function's credentials into its environment. The SDK looks there first, but carries the clients of all
 * the other places it could ask (SSO, STS, profiles, instances), over a quarter of a small function.
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
 * The SDK imports its event streams when an operation has one, which none of ours has. esbuild keeps what may be imported
 * later apart from the rest, with all that it uses, and can drop nothing of it: half of the SDK's core.
 */
const noEventStreams: Plugin = {
  name: 'no-event-streams',
  setup(build) {
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: 'event-streams', namespace: 'event-streams' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'event-streams' }, () => ({
      contents: `throw new Error('Event streams are not in the bundle, see infra/bundle-cuts.ts');`,
    }));
  },
};

/**
 * Node.js loads undici, some 15 ms, when it is asked for `fetch` or `WebSocket`. An import of `node:http` asks for all that
 * the module has; `require`, which every bundle has for CommonJS packages, does not.
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

/** All that makes a bundle start sooner, and that its functions never use. */
export const cuts: Plugin[] = [credentialsOfLambda, noEventStreams, httpRequired];
