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

/** The plugins that remove code that no function uses, to make cold starts faster. */
export const removalPlugins: Plugin[] = [credentialsOfLambda, noEventStreams, httpRequired];
