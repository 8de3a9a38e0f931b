import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundles.ts';
import { singleStage } from './config.ts';
import { readFlags, stageIn } from './flags.ts';
import { InvalidFlags } from './parse-flags.ts';
import { isSingle, readSingleFlags } from './single-flags.ts';
import { SingleStack } from './single-stack.ts';
import { addStacks } from './stacks.ts';
import { readStageFile } from './stage-files.ts';

/** The CDK app: synthesizes the stacks of a stage. `cdk synth`, `cdk deploy` and other commands run it. */
const app = new App({ analyticsReporting: false });
try {
  const context: Record<string, unknown> = app.node.getAllContext();
  if (isSingle(context)) {
    const deployment = readSingleFlags(context, readStageFile(singleStage));
    new SingleStack(app, `ChatSystem-${singleStage}`, { deployment });
  } else {
    const deployment = readFlags(context, readStageFile(stageIn(context)));
    const bundles = path.resolve(import.meta.dirname, '../.build/functions');
    await bundleFunctions(bundles);
    addStacks(app, deployment, bundles);
  }
} catch (error) {
  if (!(error instanceof InvalidFlags)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
