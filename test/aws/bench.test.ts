import { inject, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { expectMeasurable, figuresOnServers } from '../support/basics/figures.ts';

setLogLevel('silent');

test.each(figuresOnServers)('the figure %s can be measured', (name) => {
  const { mysqlUrl, opensearchUrl } = inject('stack');
  return expectMeasurable(name, async () => ({ mysqlUrl, opensearchUrl }));
});
