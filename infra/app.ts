import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundles.ts';
import { ChatStack } from './chat-stack.ts';
import { InvalidConfig, readConfig } from './config.ts';

/** What `cdk synth`, `deploy` and the others run: the bundles, and then the stack that holds them. */
const app = new App({ analyticsReporting: false });
try {
  const config = readConfig((flag) => app.node.tryGetContext(flag));
  const bundles = path.resolve(import.meta.dirname, '../.build/functions');
  await bundleFunctions(bundles);
  new ChatStack(app, `ChatSystem-${config.stage}`, { config, bundles });
} catch (error) {
  if (!(error instanceof InvalidConfig)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
