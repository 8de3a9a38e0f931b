import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { bundleFolder } from '../../infra/bundles.ts';
import { ChatStack } from '../../infra/chat-stack.ts';
import { readConfig } from '../../infra/config.ts';
import { type FunctionName, functions } from '../../infra/functions.ts';

/** Flags that give SQL and search. */
export const given = {
  mysqlUrl: 'mysql://chat@db.example:3306/chat',
  mysqlSecret: 'chat-database',
  opensearchUrl: 'https://search.example:9200',
};

/** CloudFormation's own form; what it holds is looked into by the tests. */
export interface Resource {
  Type: string;
  DependsOn?: string[];
  DeletionPolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types
  Properties: any;
}

export interface Statement {
  Action: string | string[];
  Resource: unknown;
  Effect: string;
}

export interface SynthesizedFunction {
  id: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types
  properties: any;
  environment: Record<string, unknown>;
  /** What it may do besides writing its log. */
  statements: Statement[];
}

/** The stack as CloudFormation gets it, with empty bundles. */
export function synthesize(flags: Record<string, unknown> = {}) {
  const bundles = mkdtempSync(path.join(tmpdir(), 'chat-system-bundles-'));
  try {
    for (const name of Object.keys(functions) as FunctionName[]) {
      mkdirSync(bundleFolder(bundles, name));
      writeFileSync(path.join(bundleFolder(bundles, name), 'index.mjs'), `// ${name}`);
    }
    const app = new App({ analyticsReporting: false, outdir: path.join(bundles, 'cdk.out') });
    const stack = new ChatStack(app, 'Test', { config: readConfig((flag) => flags[flag]), bundles });
    return new Synthesis(Template.fromStack(stack).toJSON().Resources);
  } finally {
    rmSync(bundles, { recursive: true });
  }
}

class Synthesis {
  readonly resources: Record<string, Resource>;

  constructor(resources: Record<string, Resource>) {
    this.resources = resources;
  }

  get text(): string {
    return JSON.stringify(this.resources);
  }

  ofType(type: string): [string, Resource][] {
    return Object.entries(this.resources).filter(([, { Type }]) => Type === type);
  }

  /** The only resource of a type with such an id. */
  one(type: string, pattern = /./): { id: string; resource: Resource } {
    const found = this.ofType(type).filter(([id]) => pattern.test(id));
    const [first] = found;
    if (!first || found.length > 1) throw new Error(`${found.length} resources of ${type} look like ${pattern}`);
    return { id: first[0], resource: first[1] };
  }

  /** Our functions by their names; what CDK adds of its own is not among them. */
  get functions(): Map<FunctionName, SynthesizedFunction> {
    return new Map(
      this.ofType('AWS::Lambda::Function')
        .filter(([, { Properties }]) => Properties.Description?.startsWith('chat-system: '))
        .map(([id, { Properties }]) => [
          Properties.Description.slice('chat-system: '.length),
          {
            id,
            properties: Properties,
            environment: Properties.Environment.Variables,
            statements: this.#statementsOf(Properties.Role['Fn::GetAtt'][0]),
          },
        ]),
    );
  }

  function(name: FunctionName): SynthesizedFunction {
    const found = this.functions.get(name);
    if (!found) throw new Error(`there is no function ${name}`);
    return found;
  }

  #statementsOf(role: string): Statement[] {
    return this.ofType('AWS::IAM::Policy')
      .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === role))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
  }
}
