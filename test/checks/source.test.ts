import { test } from 'vitest';
import { passes } from '../support/basics/project-tools.ts';

// With several checkers, tsc checks many types once for each: without saved results of an earlier run, that takes 14
// instead of 9 s of processor time, and is no faster.
test('the types are correct', () => passes('tsc', '--project', 'tsconfig.json', '--singleThreaded'));
test('the types of the client are correct without the types of Node.js', () =>
  passes('tsc', '--project', 'client/tsconfig.json', '--noEmit'));
test('the types of the console are correct without the types of Node.js', () =>
  passes('tsc', '--project', 'console/tsconfig.json'));
test('the script and style that the console is served with are built from its sources', () =>
  passes('node', 'tools/console/main.ts', '--check'));
test("the client's types of the API are those of the OpenAPI document", () =>
  passes('node', 'tools/client-types/main.ts', '--check'));
test('every file, export and package is used', () => passes('knip'));
test('the fold table is the output of its generator', () => passes('node', 'tools/fold-table/main.ts', '--check'));
