import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { bundleFolder } from '../../../infra/bundles.ts';
import { type Stage, type StageName, stages } from '../../../infra/config.ts';
import { readFlags } from '../../../infra/flags.ts';
import { type FunctionName, functions } from '../../../infra/functions.ts';
import { addStacks, type Stacks } from '../../../infra/stacks.ts';
import { SynthesizedStack } from './synthesized-stack.ts';

/** Flags that name an existing database and search cluster. */
export const existingServers = {
  mysqlUrl: 'mysql://chat@db.example:3306/chat?ssl=Amazon%20RDS',
  mysqlSecret: 'chat-database',
  opensearchUrl: 'https://search.example:9200',
};

const flagsOf = (stage: StageName): Record<string, string> => {
  const { database }: Stage = stages[stage];
  return { stage, ...(!database && existingServers) };
};

/** The flags of every stage: those of existing servers for a stage that creates none. */
export const everyStage = Object.fromEntries(
  (Object.keys(stages) as StageName[]).map((stage) => [stage, flagsOf(stage)]),
) as { [stage in StageName]: Record<string, string> };

interface Synthesis {
  /** The constructs of the stacks. */
  stacks: Stacks;
  account: SynthesizedStack;
  data: SynthesizedStack;
  service: SynthesizedStack;
  monitoring: SynthesizedStack | undefined;
}

interface Surroundings {
  /** CDK context: the results of earlier lookups. */
  context?: Record<string, unknown>;
  shell?: NodeJS.ProcessEnv;
}

const made = new Map<string, Synthesis>();

/** Returns the templates of a deployment, synthesized with empty bundles and cached by flags. */
export function synthesize(flags: Record<string, unknown> = {}, surroundings: Surroundings = {}): Synthesis {
  const key = JSON.stringify([flags, surroundings]);
  const synthesis = made.get(key) ?? synthesizeUncached(flags, surroundings);
  made.set(key, synthesis);
  return synthesis;
}

function synthesizeUncached(flags: Record<string, unknown>, { context = {}, shell = {} }: Surroundings): Synthesis {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-synthesis-'));
  try {
    for (const name of Object.keys(functions) as FunctionName[]) {
      mkdirSync(bundleFolder(folder, name));
      writeFileSync(path.join(bundleFolder(folder, name), 'index.mjs'), `// ${name}`);
    }
    const app = new App({ analyticsReporting: false, outdir: path.join(folder, 'cdk.out'), context });
    const stacks = addStacks(app, readFlags(flags), folder, shell);
    const assembly = app.synth();
    const read = (stack: Stack) => assembly.getStackArtifact(stack.artifactId).template;
    const { account, data, service, monitoring } = stacks;
    const producers = Object.fromEntries([account, data, service].map((stack) => [stack.stackName, read(stack)]));
    return {
      stacks,
      account: new SynthesizedStack(read(account), producers),
      data: new SynthesizedStack(read(data), producers),
      service: new SynthesizedStack(read(service), producers),
      monitoring: monitoring && new SynthesizedStack(read(monitoring), producers),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
