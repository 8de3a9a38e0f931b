import { beforeEach, describe, expect, test } from 'vitest';
import { chatNamed, contents, numbers } from '../support/histories/writes.ts';
import { startOps } from '../support/servers/ops.ts';
import { RestorableSystem } from './restorable-system.ts';

// Executes the steps of docs/restoring.md in their order with the same commands, on the servers of the stack.

let system: RestorableSystem;
let token: string;
beforeEach(async () => {
  system = await RestorableSystem.open();
  token = (await system.ledger.createApplication('an application')).token;
  await system.ledger.createChat(token, chatNamed('a chat'));
  await system.ledger.createMessages({ token, chat: 1 }, contents(['one', 'two', 'three']));
  await system.work();
  return () => system.close();
});

/** Writes what happens between the backup and the disaster. */
async function goOn(): Promise<void> {
  await system.ledger.createMessages({ token, chat: 1 }, contents(['four', 'five', 'six']));
  await system.ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'one, edited' });
  await system.ledger.deleteMessage({ token, chat: 1, number: 2 });
  await system.ledger.createChat(token, chatNamed('a second chat'));
  await system.ledger.createMessages({ token, chat: 2 }, contents(['first there']));
  await system.work();
}

const reconcile = async (...flags: string[]) => {
  const { status, stdout } = await startOps(['--aws', 'reconcile', ...flags], { env: system.environment }).ended;
  return {
    status,
    lines: stdout
      .trim()
      .replaceAll(`${token.slice(0, 6)}…`, 'app')
      .split('\n'),
  };
};
const clean = { status: 0, lines: [expect.stringMatching(/: no differences\.$/)] };
const bodies = async (chat = 1) =>
  (await system.store.messages(token, chat, { order: 'asc', limit: 100 })).rows.map(
    ({ number, content }) => `${number} ${content.body}`,
  );

describe('an older ledger beside newer SQL', () => {
  test('reconcile restores the counters of an older ledger before writes are allowed, so that no number is used twice', async () => {
    const backup = await system.copyOfTable();
    await goOn();
    // The message is accepted but not stored when the ledger is lost. It is in the store queue, which cannot be
    // searched for numbers.
    await system.ledger.createMessages({ token, chat: 1 }, contents(['seven']));
    await system.use({ LEDGER_TABLE: backup });
    expect(await reconcile()).toEqual({
      status: 1,
      lines: expect.arrayContaining(['counter too low app/1 (counter 3, highest 6)']),
    });

    // 1. Stop writers. 2. The workers empty the queues. 3. Repair until no difference is left.
    await system.work();
    expect(await reconcile('--repair')).toEqual({
      status: 0,
      lines: [
        'counter too low app (counter 1, highest 2) - repaired',
        'counter too low app/1 (counter 3, highest 7) - repaired',
        'not in ledger app/2 (lacking everything) - repaired',
        'not in ledger app/1/1 (lacking edit) - repaired',
        'not in ledger app/1/2 (lacking deletion) - repaired',
        'wrong count app/1 (count 5, expected 6) - repaired',
        '8 messages compared: 6 differences repaired, 0 left.',
      ],
    });
    expect(await reconcile('--repair')).toEqual(clean);

    // 4. Allow writes.
    expect(await system.ledger.createMessages({ token, chat: 1 }, contents(['eight']))).toMatchObject({ first: 8 });
    expect(await system.ledger.createChat(token, chatNamed(null))).toMatchObject({ number: 3 });
    expect(await system.ledger.hasMessage(token, 1, 2)).toBe(false);
    await system.work();
    expect(await bodies()).toEqual(['1 one, edited', '3 three', '4 four', '5 five', '6 six', '7 seven', '8 eight']);
    expect(await reconcile()).toEqual(clean);
  });
});

describe('restore-sql', () => {
  const restoreSql = (...args: string[]) =>
    startOps(['--aws', 'restore-sql', ...args], { env: system.environment }).ended;

  test('restore-sql replaces everything in SQL with a restored database, and reconcile repairs what is newer', async () => {
    // More rows than one statement copies, in several chats and applications.
    const other = (await system.ledger.createApplication('another')).token;
    for (const chat of [1, 2]) {
      await system.ledger.createChat(other, chatNamed(null));
      await system.ledger.createMessages(
        { token: other, chat },
        contents(numbers(1, 450).map((i) => `${i} \u{1f600}`)),
      );
    }
    await system.work();
    const backup = await system.copyOfDatabase();
    await goOn();
    expect(await restoreSql(backup)).toMatchObject({ status: 2, stderr: expect.stringContaining('add --yes') });
    expect(await bodies()).toEqual(['1 one, edited', '3 three', '4 four', '5 five', '6 six']);

    // Two applications, three chats, 903 messages, and the versions of the applications and chats.
    expect(await restoreSql(backup, '--yes')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^913 rows copied/),
    });
    expect(await bodies()).toEqual(['1 one', '2 two', '3 three']);
    const page = await system.store.messages(other, 2, { order: 'desc', limit: 1 });
    expect(page.rows).toMatchObject([{ number: 450, content: { body: '450 \u{1f600}' } }]);
    expect(await system.store.chat(other, 2)).toMatchObject({ messagesCount: 450 });

    await reconcile('--repair');
    await system.work();
    expect(await reconcile('--repair')).toEqual(clean);
    expect(await bodies()).toEqual(['1 one, edited', '3 three', '4 four', '5 five', '6 six']);
  });

  test('restore-sql refuses to copy a database onto itself, and deletes nothing', async () => {
    expect(await restoreSql(system.environment.MYSQL_URL as string, '--yes')).toMatchObject({
      status: 1,
      stderr:
        'The address belongs to the database that would be replaced; pass the address of the restored database.\n',
    });
    expect(await bodies()).toEqual(['1 one', '2 two', '3 three']);
  });
});

describe('older SQL beside a newer ledger', () => {
  let backup: string;
  beforeEach(async () => {
    backup = await system.copyOfDatabase();
    await goOn();
    await system.use({ MYSQL_URL: backup });
  });

  test('reconcile restores an older store from the search index, and names from the ledger', async () => {
    expect(await bodies()).toEqual(['1 one', '2 two', '3 three']);
    const { status, lines } = await reconcile('--repair');
    expect({ status, lines: lines.filter((line) => !/ - repaired$/.test(line)) }).toEqual({
      status: 0,
      lines: [expect.stringMatching(/ 0 left\.$/)],
    });
    expect(lines).toEqual(
      expect.arrayContaining([
        'not in store app/2 (lacking everything, found nowhere) - repaired',
        'newer in index app/1/1 (lacking edit) - repaired',
        'newer in index app/1/2 (lacking deletion) - repaired',
        'newer in index app/1/6 (lacking everything) - repaired',
        'newer in index app/2/1 (lacking everything) - repaired',
      ]),
    );
    await system.work();
    expect(await reconcile('--repair')).toEqual(clean);
    expect(await bodies()).toEqual(['1 one, edited', '3 three', '4 four', '5 five', '6 six']);
    expect(await bodies(2)).toEqual(['1 first there']);
    expect(await system.store.chat(token, 2)).toMatchObject({ name: 'a second chat', messagesCount: 1 });
    expect(await system.ledger.createMessages({ token, chat: 1 }, contents(['seven']))).toMatchObject({ first: 7 });
  });

  test('without the index, reconcile names every number whose message is lost, and none is assigned again', async () => {
    await system.loseIndex(token);
    const lost = [4, 5, 6].map((number) =>
      expect.stringMatching(`^missing app/1/${number} \\(found nowhere, noticed `),
    );
    expect(await reconcile('--repair')).toEqual({
      status: 1,
      lines: [
        'not in store app/2 (lacking everything, found nowhere) - repaired',
        'not in store app/1/2 (lacking deletion, found nowhere) - repaired',
        'not in index app/1/1 (lacking everything) - repaired',
        'not in index app/1/2 (lacking everything) - repaired',
        'not in index app/1/3 (lacking everything) - repaired',
        ...lost,
        expect.stringMatching('^missing app/2/1 '),
        '7 messages compared: 5 differences repaired, 4 left.',
      ],
    });
    // Deletions are kept; the new text of an edited message is lost.
    expect(await bodies()).toEqual(['1 one', '3 three']);
    expect(await system.ledger.createMessages({ token, chat: 1 }, contents(['seven']))).toMatchObject({ first: 7 });
  });
});
