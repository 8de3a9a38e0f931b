// Writes client/src/openapi.ts: the types of the API, generated from its OpenAPI document by openapi-typescript. That
// generator needs an earlier TypeScript than this project, so both are packages of the workspace client/.
//
//   npm run client-types            writes the file
//   npm run client-types -- --check exits 1 when the file differs from what would be written
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openapiDocument } from '../../lib/api/openapi.ts';

const client = path.resolve(import.meta.dirname, '../../client');
const target = path.join(client, 'src/openapi.ts');

// A member of a request that has a default may be left out, which the generator would not allow.
const generator = [path.join(client, 'node_modules/openapi-typescript/bin/cli.js'), '--default-non-nullable=false'];
const types = execFileSync(process.execPath, generator, { input: JSON.stringify(openapiDocument()), encoding: 'utf8' });

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== types) {
    console.error('client/src/openapi.ts differs from the OpenAPI document: run npm run client-types');
    process.exitCode = 1;
  }
} else writeFileSync(target, types);
