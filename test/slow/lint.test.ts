import { test } from 'vitest';
import { passes } from '../support/basics/project-tools.ts';

// Not among the checks, because the rules on promises and import cycles take 18 s of processor time, and more than twice
// as much on a slow machine.
test(
  'the source is formatted and follows the rules of the linter',
  () => passes('biome', 'check', '--error-on-warnings'),
  240_000,
);
