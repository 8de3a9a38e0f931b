import { expect, test } from 'vitest';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { chatKey } from '../../lib/ledger/dynamodb/keys.ts';
import { metadataIn, setMetadata } from '../../lib/ledger/dynamodb/metadata.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { SimulatedTable } from '../simulation/dynamodb.ts';
import { sizeOf } from '../simulation/dynamodb-limits.ts';
import { newClock } from '../support/basics/clock.ts';
import { contents } from '../support/histories/writes.ts';

const longest = `{"a":"${'x'.repeat(4_088)}"}`;

async function openChat() {
  const clock = newClock();
  const simulated = new SimulatedTable(clock);
  const table = new DynamodbTable(
    simulated.client({ task: 'test', call: async (_part, effect) => effect() }),
    'ledger',
  );
  const ledger = new DynamodbLedger(table, new ParkedWrites(table, { send: async () => undefined }), { now: clock });
  const { token } = await ledger.createApplication('an application');
  await ledger.createChat(token, { name: 'a chat', metadata: longest });
  const items = () => simulated.itemsIn(chatKey(token, 1).pk);
  const item = (sk: string) => items().find((one) => one.sk?.S === sk);
  return { ledger, table, token, chat: { token, chat: 1 }, items, item };
}

test('the item that each create writes does not have the metadata of the chat, so it stays one write unit', async () => {
  const { ledger, chat, item } = await openChat();
  await ledger.createMessages(chat, contents(['body']));
  await ledger.editChat(chat, { metadata: longest });
  expect(sizeOf(item('chat') ?? {})).toBeLessThan(1_024);
  expect(metadataIn(item('metadata'))).toBe(longest);
});

test('of two edits of the metadata, the one with the higher revision wins, whichever arrives last', async () => {
  const { table, chat, item } = await openChat();
  await setMetadata(table, chat, { metadata: '{"n":2}', revision: 2 });
  await setMetadata(table, chat, { metadata: '{"n":1}', revision: 1 });
  expect(metadataIn(item('metadata'))).toBe('{"n":2}');
});

test('a restore that stopped half-way is completed by the next one', async () => {
  const { ledger, table, token, chat } = await openChat();
  const entry = { ...chat, name: 'b', metadata: '{"n":3}', revision: 3, deleted: false, createdAt: 1, updatedAt: 3 };
  await setMetadata(table, chat, { metadata: '{"n":3}', revision: 3 });
  for (const _ of ['first', 'second']) await ledger.restore({ ...entry, highest: 0 });
  expect(await ledger.chat(token, 1)).toMatchObject({ name: 'b', metadata: '{"n":3}' });
  await ledger.restore({ ...entry, name: 'a', metadata: null, revision: 2, highest: 0 });
  expect(await ledger.chat(token, 1)).toMatchObject({ name: 'b', metadata: '{"n":3}' });
});

test('nothing of the metadata is left after the purge of a deleted chat or application', async () => {
  const { ledger, chat, items } = await openChat();
  await ledger.deleteChat(chat);
  expect(await ledger.entries([chat])).toMatchObject([{ metadata: null, deleted: true }]);
  await ledger.purge(chat, 10);
  expect(JSON.stringify(items())).not.toContain('xxx');
  const other = await openChat();
  await other.ledger.deleteApplication(other.token);
  while ((await other.ledger.purge({ token: other.token }, 10)) > 0);
  expect(JSON.stringify(other.items())).not.toContain('xxx');
});
