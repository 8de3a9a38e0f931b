import { expect, test } from 'vitest';
import { deployment, settled } from '../../support/servers/deployment.ts';
import { smoke } from '../../support/servers/smoke.ts';

const api = await deployment();

test('script/smoke finds everything as expected, and leaves no application behind', async () => {
  const { status, stdout, stderr } = await smoke([api.base]);
  expect([stdout.split('\n').filter((line) => !line.startsWith('ok ')), stderr, status]).toEqual([
    ['Everything is as expected.', ''],
    '',
    0,
  ]);
  expect(stdout).toContain('ok      a search finds every character');
  // Lists show the deletion within seconds.
  const left = async () => {
    const { body } = await api.get<{ data: { name: string }[] }>('/applications?order=desc&limit=1000');
    return body.data.filter(({ name }) => name === 'Smoke test');
  };
  await expect.poll(left, settled).toEqual([]);
});
