import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const project = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(project, file), 'utf8');
const file: unknown = parse(read('docker-compose.localstack.yml'));

const composeFile = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      ports: z.array(z.string()),
      volumes: z.array(z.string()),
      environment: z.record(z.string(), z.string()),
      healthcheck: z.object({ test: z.array(z.string()), retries: z.number() }),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
});
const { services, volumes } = composeFile.parse(file);

test('the compose file follows the Compose Specification', () => {
  const { $schema: _, ...schema } = JSON.parse(read('test/unit/compose-spec/compose-spec.json'));
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
  expect(validate(file), JSON.stringify(validate.errors)).toBe(true);
});

test('every image is pinned by version and digest', () => {
  for (const { image } of Object.values(services)) expect(image).toMatch(/^[\w/]+:\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/);
  expect(services.localstack?.image).toMatch('localstack/localstack:4.14.0@');
  expect(services.mysql?.image).toMatch(/^mysql:8\.4\./);
  expect(services.opensearch?.image).toMatch(/^opensearchproject\/opensearch:3\./);
});

test('every port is on the loopback address alone, and can be set', () => {
  for (const { ports } of Object.values(services))
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/);
});

test('every service keeps its data in its own volume', () => {
  for (const [name, { volumes: mounts }] of Object.entries(services)) {
    expect(mounts.some((mount) => mount.startsWith(`${name}:/`))).toBe(true);
    expect(Object.keys(volumes)).toContain(name);
  }
});

test('functions, which are for arm64 on AWS, run on the architecture of the machine', () => {
  expect(services.localstack?.environment.LAMBDA_IGNORE_ARCHITECTURE).toBe('1');
});

test('the compose file contains no password', () => {
  expect(services.mysql?.environment.MYSQL_PASSWORD).toMatch(/^\$\{MYSQL_PASSWORD:\?/);
});

test('LocalStack may start containers for functions', () => {
  expect(services.localstack?.volumes).toContain('/var/run/docker.sock:/var/run/docker.sock');
});
