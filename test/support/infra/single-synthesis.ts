import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { readSingleFlags } from '../../../infra/single-flags.ts';
import { SingleStack } from '../../../infra/single-stack.ts';
import { SynthesizedStack } from './synthesized-stack.ts';

interface SingleSynthesis {
  stack: SingleStack;
  template: SynthesizedStack;
}

/**
 * Returns the template of stage single.
 *
 * @param folder where the template and the code are written; undefined: in a folder that is removed
 */
export function synthesizeSingle(flags: Record<string, string> = {}, folder?: string): SingleSynthesis {
  const outdir = folder ?? mkdtempSync(path.join(tmpdir(), 'chat-system-synthesis-'));
  try {
    const app = new App({ analyticsReporting: false, outdir });
    const deployment = readSingleFlags({ stage: 'single', domain: 'chat.example.org', ...flags });
    const stack = new SingleStack(app, 'ChatSystem-single', { deployment });
    const { template } = app.synth().getStackArtifact(stack.artifactId);
    return { stack, template: new SynthesizedStack(template, {}) };
  } finally {
    if (folder === undefined) rmSync(outdir, { recursive: true });
  }
}

/** Returns the user data of the machine, with these values for what CloudFormation knows only at deployment. */
export function userDataOf({ template }: SingleSynthesis, values: Record<string, string>): string {
  const { UserData } = template.one('AWS::EC2::LaunchTemplate').resource.Properties.LaunchTemplateData;
  const textOf = (part: string | { Ref?: string; 'Fn::Sub'?: string; 'Fn::GetAtt'?: [string, string] }): string => {
    if (typeof part === 'string') return part;
    if (part['Fn::Sub']) return part['Fn::Sub'].replace(/\$\{(.*?)\}/g, (_, name: string) => textOf({ Ref: name }));
    const id = part.Ref ?? part['Fn::GetAtt']?.[0] ?? '';
    const name = template.resources[id]?.Type ?? id;
    const value = values[name];
    if (value === undefined) throw new Error(`there is no value for ${name}`);
    return value;
  };
  const parts: Parameters<typeof textOf>[0][] = UserData['Fn::Base64']['Fn::Join'][1];
  return parts.map(textOf).join('');
}
