import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { bundleFolder } from '../../infra/bundles.ts';
import { type Stage, type StageName, stages } from '../../infra/config.ts';
import { readFlags } from '../../infra/flags.ts';
import { type FunctionName, functions } from '../../infra/functions.ts';
import { addStacks, type Stacks } from '../../infra/stacks.ts';
import { SynthesizedStack } from './synthesized-stack.ts';

/** Flags that give SQL and search. */
export const given = {
  mysqlUrl: 'mysql://chat@db.example:3306/chat?ssl=Amazon%20RDS',
  mysqlSecret: 'chat-database',
  opensearchUrl: 'https://search.example:9200',
};

const flagsOf = (stage: StageName): Record<string, string> => {
  const { database }: Stage = stages[stage];
  return { stage, ...(!database && given) };
};

/** The flags of every stage as it is meant: SQL and search are given where it has none of its own. */
export const everyStage = Object.fromEntries(
  (Object.keys(stages) as StageName[]).map((stage) => [stage, flagsOf(stage)]),
) as { [stage in StageName]: Record<string, string> };

interface Synthesis {
  /** The constructs themselves. */
  stacks: Stacks;
  account: SynthesizedStack;
  data: SynthesizedStack;
  service: SynthesizedStack;
  watch: SynthesizedStack | undefined;
}

interface Surroundings {
  /** What CDK has looked up before. */
  context?: Record<string, unknown>;
  shell?: NodeJS.ProcessEnv;
}

const made = new Map<string, Synthesis>();

/** The stacks as CloudFormation gets them, with empty bundles; made once for the same flags. */
export function synthesize(flags: Record<string, unknown> = {}, surroundings: Surroundings = {}): Synthesis {
  const key = JSON.stringify([flags, surroundings]);
  const synthesis = made.get(key) ?? synthesizeAnew(flags, surroundings);
  made.set(key, synthesis);
  return synthesis;
}

function synthesizeAnew(flags: Record<string, unknown>, { context = {}, shell = {} }: Surroundings): Synthesis {
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
    const { account, data, service, watch } = stacks;
    const producers = Object.fromEntries([account, data, service].map((stack) => [stack.stackName, read(stack)]));
    return {
      stacks,
      account: new SynthesizedStack(read(account), producers),
      data: new SynthesizedStack(read(data), producers),
      service: new SynthesizedStack(read(service), producers),
      watch: watch && new SynthesizedStack(read(watch), producers),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
