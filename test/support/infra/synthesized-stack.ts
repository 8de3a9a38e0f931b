import type { FunctionName } from '../../../infra/functions.ts';

/** A resource of a CloudFormation template. */
export interface Resource {
  Type: string;
  DependsOn?: string[];
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types
  Properties: any;
}

interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: unknown; Export?: { Name: string } }>;
}

export interface Statement {
  Action: string | string[];
  Resource: unknown;
  Effect: string;
  Condition?: unknown;
}

export interface SynthesizedFunction {
  id: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types
  properties: any;
  environment: Record<string, unknown>;
  /** All actions that it may perform. */
  statements: Statement[];
}

/** A stack's template, in which references to another stack are replaced with that stack's values. */
export class SynthesizedStack {
  readonly resources: Record<string, Resource>;
  readonly outputs: NonNullable<Template['Outputs']>;
  /** The template as CloudFormation gets it. */
  readonly text: string;

  constructor(template: Template, producers: Record<string, Template>) {
    this.text = JSON.stringify(template);
    this.resources = withImports(template.Resources, producers) as Template['Resources'];
    this.outputs = template.Outputs ?? {};
  }

  ofType(type: string): [string, Resource][] {
    return Object.entries(this.resources).filter(([, { Type }]) => Type === type);
  }

  /** Returns the only resource of a type with this id. */
  one(type: string, pattern = /./): { id: string; resource: Resource } {
    const found = this.ofType(type).filter(([id]) => pattern.test(id));
    const [first] = found;
    if (!first || found.length > 1) throw new Error(`${found.length} resources of ${type} look like ${pattern}`);
    return { id: first[0], resource: first[1] };
  }

  /** Returns the functions of the application by name, without those that CDK adds. */
  get functions(): Map<FunctionName, SynthesizedFunction> {
    return new Map(
      this.ofType('AWS::Lambda::Function')
        .filter(([, { Properties }]) => Properties.Description?.startsWith('chat-system: '))
        .map(([id, { Properties }]) => [
          Properties.Description.slice('chat-system: '.length),
          {
            id,
            properties: Properties,
            environment: Properties.Environment?.Variables ?? {},
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

function withImports(value: unknown, producers: Record<string, Template>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => withImports(each, producers));
  const { 'Fn::GetStackOutput': output, 'Fn::ImportValue': exported } = value as Record<string, unknown>;
  if (output) {
    const { StackName, OutputName } = output as { StackName: string; OutputName: string };
    return producers[StackName]?.Outputs?.[OutputName]?.Value;
  }
  if (exported)
    return Object.values(producers)
      .flatMap(({ Outputs = {} }) => Object.values(Outputs))
      .find(({ Export }) => Export?.Name === exported)?.Value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withImports(each, producers)]));
}
