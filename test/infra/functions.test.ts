import { describe, expect, test } from 'vitest';
import { stages } from '../../infra/config.ts';
import { type FunctionName, functions } from '../../infra/functions.ts';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { variablesOf } from '../../tools/bench/functions/sample-environment.ts';
import { everyStage, synthesize } from '../support/synthesis.ts';

const { service: stack } = synthesize(everyStage.prod);
const names = Object.keys(functions) as FunctionName[];
const operations = Object.entries<Route>(routes) as [OperationId, Route][];

test('there is a function for each route, and those behind the queues and schedules', () => {
  expect([...stack.functions.keys()].sort()).toEqual([...names].sort());
  expect(names).toEqual(expect.arrayContaining(operations.map(([name]) => name)));
});

describe.each(names)('%s', (name) => {
  const { properties, environment } = stack.function(name);

  test('runs on ARM in the current Node.js, with its sources in stack traces', () => {
    expect(properties).toMatchObject({ Architectures: ['arm64'], Runtime: 'nodejs24.x', Handler: 'index.handler' });
    expect(environment).toMatchObject({ NODE_OPTIONS: '--enable-source-maps' });
  });

  test('keeps its log as long as the stage says, and is traced', () => {
    const log = stack.resources[properties.LoggingConfig.LogGroup.Ref];
    const RetentionInDays = stages.prod.logRetention;
    expect(log).toMatchObject({ Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays } });
    expect(properties.TracingConfig).toEqual({ Mode: 'Active' });
  });

  test('has the variables that its services name, and no others', async () => {
    const { required, optional } = await variablesOf(name);
    const set = Object.keys(environment).filter((variable) => variable !== 'NODE_OPTIONS');
    expect(set).toEqual(expect.arrayContaining(required));
    expect([...required, ...optional]).toEqual(expect.arrayContaining(set));
  });
});

test('a read may take 3 s, a write 10 s: both less than API Gateway waits', () => {
  for (const [name, { method }] of operations)
    expect(stack.function(name).properties.Timeout).toBe(method === 'GET' ? 3 : 10);
});

test('a read waits for the database as long as a client may wait, what works behind the queues longer', () => {
  for (const name of names.filter((each) => functions[each].needs.includes('store')))
    expect(stack.function(name).environment).toMatchObject({ MYSQL_USE: name in routes ? 'reads' : 'work' });
  expect(stack.function('migrate').environment).toMatchObject({ MYSQL_USE: 'migration' });
});
