import { describe, expect, test } from 'vitest';
import { stages } from '../../infra/config.ts';
import { type FunctionName, functions } from '../../infra/functions.ts';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { variablesOf } from '../../tools/bench/functions/sample-environment.ts';
import { everyStage, synthesize } from '../support/infra/synthesis.ts';

const { service: stack } = synthesize(everyStage.prod);
const names = Object.keys(functions) as FunctionName[];
const operations = Object.entries<Route>(routes) as [OperationId, Route][];

test('the service stack has a function for each route, worker and schedule', () => {
  expect([...stack.functions.keys()].sort()).toEqual([...names].sort());
  expect(names).toEqual(expect.arrayContaining(operations.map(([name]) => name)));
});

describe.each(names)('the function %s', (name) => {
  const { properties, environment } = stack.function(name);

  test(`the function ${name} runs on ARM in Node.js 24`, () => {
    expect(properties).toMatchObject({ Architectures: ['arm64'], Runtime: 'nodejs24.x', Handler: 'index.handler' });
  });

  test(`the function ${name} keeps its log for the retention time of the stage, and is traced`, () => {
    const log = stack.resources[properties.LoggingConfig.LogGroup.Ref];
    const RetentionInDays = stages.prod.logRetention;
    expect(log).toMatchObject({ Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays } });
    expect(properties.TracingConfig).toEqual({ Mode: 'Active' });
  });

  test(`the function ${name} has exactly the environment variables that its services declare`, async () => {
    const { required, optional } = await variablesOf(name);
    const set = Object.keys(environment);
    expect(set).toEqual(expect.arrayContaining(required));
    expect([...required, ...optional]).toEqual(expect.arrayContaining(set));
  });
});

test('a read has a timeout of 3 s and a write of 10 s, both below the timeout of API Gateway', () => {
  for (const [name, { method }] of operations)
    expect(stack.function(name).properties.Timeout).toBe(method === 'GET' ? 3 : 10);
});

test('a read uses the database with the short timeouts for clients, and a worker or schedule with longer ones', () => {
  for (const name of names.filter((each) => functions[each].needs.includes('store')))
    expect(stack.function(name).environment).toMatchObject({ MYSQL_USE: name in routes ? 'reads' : 'work' });
  expect(stack.function('migrate').environment).toMatchObject({ MYSQL_USE: 'migration' });
});
