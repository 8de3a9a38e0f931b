/** A planted bug: pieces of a source file, and what stands there instead. */
export interface Mutation {
  /** Says what the bug does. */
  name: string;
  file: string;
  changes: { find: string; replace: string }[];
}

/**
 * The source with the bug in it.
 *
 * @throws Error when a piece is not there exactly once
 */
export function planted({ file, changes }: Mutation, source: string): string {
  let mutated = source;
  for (const { find, replace } of changes) {
    const parts = mutated.split(find);
    if (parts.length !== 2)
      throw new Error(`${file} has ${parts.length - 1} times what the mutation replaces: ${find}`);
    mutated = parts.join(replace);
  }
  return mutated;
}

/** Bugs that the simulation must find. Each was once written by somebody, in this system or another. */
export const mutations: Mutation[] = [
  {
    name: 'an older edit replaces a newer one',
    file: 'lib/store/sqlite/merge.ts',
    changes: [
      {
        find: `\${column} = iif(excluded.\${revision} > \${revision}`,
        replace: `\${column} = iif(1`,
      },
    ],
  },
  {
    name: 'an edit brings a deleted message back',
    file: 'lib/store/sqlite/merge.ts',
    changes: [
      {
        find: ' WHERE deleted = 0`;',
        replace: ', deleted = 0`;',
      },
    ],
  },
  {
    name: 'an edit that comes first creates the message',
    file: 'lib/store/sqlite/sqlite-store.ts',
    changes: [
      {
        find: "'revision' in write && write.revision === 0 ? at : null",
        replace: "'revision' in write ? at : null",
      },
    ],
  },
  {
    name: 'something is stored below what is deleted',
    file: 'lib/store/sqlite/sqlite-store.ts',
    changes: [
      {
        find: 'if (deleted.get(above)) continue;',
        replace: '',
      },
    ],
  },
  {
    name: 'a malformed record is acknowledged and forgotten',
    file: 'functions/runtime/worker.ts',
    changes: [
      {
        find: 'await services[queue].bury([{ body: record.body, reason }]);',
        replace: '',
      },
    ],
  },
  {
    name: 'a batch that failed is acknowledged',
    file: 'functions/runtime/worker.ts',
    changes: [
      {
        find: 'batchItemFailures: request.event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })),',
        replace: 'batchItemFailures: [],',
      },
    ],
  },
  {
    name: 'changes are handed on to search before they are committed',
    file: 'functions/workers/store.ts',
    changes: [
      {
        find: '  for (const batch of batches(records)) poison.push(...(await mergeOrSplit(batch, store)));\n',
        replace: '',
      },
      {
        find: '    if (changes.length > 0) await sendToAll(outboxes, changes);\n',
        replace: `    if (changes.length > 0) await sendToAll(outboxes, changes);
  for (const batch of batches(records)) poison.push(...(await mergeOrSplit(batch, store)));\n`,
      },
    ],
  },
  {
    name: 'what is stored is not handed on to search when the batch comes again',
    file: 'functions/workers/store.ts',
    changes: [
      {
        find: 'if (changes.length > 0) await sendToAll(outboxes, changes);',
        replace: 'if (changes.length > 0) await sendToAll(outboxes, changes).catch(() => undefined);',
      },
    ],
  },
  {
    name: 'the index takes an older version',
    file: 'lib/search/sqlite/sqlite-index.ts',
    changes: [
      {
        find: 'if (held && held.version >= documentVersion(document)) continue;',
        replace: '',
      },
    ],
  },
  {
    name: 'a number is taken back after a timeout',
    file: 'lib/ledger/dynamodb/dynamodb-ledger.ts',
    changes: [
      {
        find: 'const outcome = await this.#table.update(parent, update);',
        replace: `const outcome = await this.#table.update(parent, update).catch(async (error) => {
      await this.#table.update(parent, { UpdateExpression: 'ADD #counter :back', ConditionExpression: 'attribute_exists(pk)', ExpressionAttributeNames: { '#counter': counter }, ExpressionAttributeValues: { ':back': number(-count) } });
      throw error;
    });`,
      },
    ],
  },
  {
    name: 'a counter is asked again after a timeout',
    file: 'lib/ledger/dynamodb/table.ts',
    changes: [
      {
        find: '    return this.#conditionally({ repeatable: false }, async () => {\n      const { Attributes }',
        replace: '    return this.#conditionally({ repeatable: true }, async () => {\n      const { Attributes }',
      },
    ],
  },
  {
    name: 'a number is read and then written',
    file: 'lib/ledger/dynamodb/dynamodb-ledger.ts',
    changes: [
      {
        find: 'const outcome = await this.#table.update(parent, update);',
        replace: `const [held] = await this.#table.get([parent]);
    const next = { ':next': number(numberIn(held ?? {}, counter) + count) };
    const outcome = await this.#table.update(parent, {
      ...update, UpdateExpression: 'SET #counter = :next', ConditionExpression: live, ExpressionAttributeValues: next,
      ExpressionAttributeNames: { '#counter': counter },
    });`,
      },
    ],
  },
  {
    name: 'a write that SQS refuses is not parked',
    file: 'lib/ledger/dynamodb/parked-writes.ts',
    changes: [
      {
        find: 'await this.#table.write(error.bodies.map((body) => this.itemOf(body, at)));',
        replace: '',
      },
    ],
  },
  {
    name: 'what is parked is removed before it is sent',
    file: 'lib/ledger/dynamodb/parked-writes.ts',
    changes: [
      {
        find: `    await this.#outbox.send(items.map((item) => textIn(item, 'body')));
    await this.#table.write([], items.map(itemKeyOf));`,
        replace: `    await this.#table.write([], items.map(itemKeyOf));
    await this.#outbox.send(items.map((item) => textIn(item, 'body')));`,
      },
    ],
  },
  {
    name: 'what SQS refused of a batch counts as sent',
    file: 'lib/queue/sqs/sqs-queue.ts',
    changes: [
      {
        find: 'for (const { Id, Code } of Failed) {',
        replace: 'for (const { Id, Code } of Failed.slice(0, 0)) {',
      },
    ],
  },
  {
    name: 'a key does not claim its number',
    file: 'lib/ledger/dynamodb/dynamodb-ledger.ts',
    changes: [
      {
        find: 'const update: ItemUpdate = claim',
        replace: 'const update: ItemUpdate = claim && !claim',
      },
    ],
  },
  {
    name: 'a claim goes as soon as the answer is kept',
    file: 'lib/ledger/dynamodb/idempotency-keys.ts',
    changes: [
      {
        find: "return first && 'done' in kept && numberIn(kept.done, 'lease_until') === leaseUntil;",
        replace: 'return true;',
      },
    ],
  },
  {
    name: 'a key is taken over while its first request is under way',
    file: 'lib/ledger/dynamodb/idempotency-keys.ts',
    changes: [
      {
        find: "if (numberIn(known, 'lease_until') > now) throw new KeyInFlight();",
        replace: '',
      },
    ],
  },
  {
    name: 'a refused repetition forgets the key and with it the number',
    file: 'lib/ledger/dynamodb/idempotency-keys.ts',
    changes: [
      {
        find: 'appliedNothing && taken.first ?',
        replace: 'appliedNothing ?',
      },
    ],
  },
  {
    name: 'what is throttled behind the number counts as refused',
    file: 'lib/ledger/dynamodb/table.ts',
    changes: [
      {
        find: 'let appliedNothing = !isLate;',
        replace: 'let appliedNothing = true;',
      },
    ],
  },
  {
    name: 'a purged chat leaves no tombstone',
    file: 'lib/ledger/dynamodb/purge.ts',
    changes: [
      {
        find: 'await table.write([{ ...keyOf(chatKey(token, purged + 1)), deleted: number(1) }]);',
        replace: 'await table.remove(chatKey(token, purged + 1));',
      },
    ],
  },
  {
    name: 'a deletion is marked and then sent',
    file: 'lib/ledger/dynamodb/dynamodb-ledger.ts',
    changes: [
      {
        find: 'await this.#parked.sendParked(parked);',
        replace: `await this.#table.remove({ pk: parked.pk?.S ?? '', sk: parked.sk?.S ?? '' });
    await this.#parked.sendParked(parked);`,
      },
    ],
  },
  {
    name: 'an edit is accepted for what is deleted',
    file: 'lib/ledger/dynamodb/dynamodb-ledger.ts',
    changes: [
      {
        find: 'attribute_not_exists(deleted) AND (attribute_not_exists(revision)',
        replace: 'attribute_not_exists(nothing) AND (attribute_not_exists(revision)',
      },
    ],
  },
  {
    name: 'counts are added to',
    file: 'lib/store/sqlite/counts.ts',
    changes: [
      {
        find: 'SET messages_count = ?1, counted = ?2',
        replace: 'SET messages_count = messages_count + (?1 > 0), counted = ?2',
      },
    ],
  },
  {
    name: 'an older count replaces a newer one',
    file: 'lib/store/sqlite/counts.ts',
    changes: [{ find: 'AND number = ?4 AND counted <= ?2', replace: 'AND number = ?4' }],
  },
  {
    name: 'a mark is cleared that was put meanwhile',
    file: 'lib/store/sqlite/counts.ts',
    changes: [
      { find: 'WHERE token = ? AND chat = ? AND version = ?', replace: 'WHERE token = ? AND chat = ? AND ? > 0' },
    ],
  },
  {
    name: 'the purge does not come again',
    file: 'lib/purge/purge.ts',
    changes: [
      {
        find: 'purge.pass === 1 ? now + limits.queueRetentionMs : undefined',
        replace: 'undefined',
      },
    ],
  },
  {
    name: 'the clock of the machine decides which edit is the last',
    file: 'lib/store/sqlite/merge.ts',
    changes: [
      {
        find: `\${column} = iif(excluded.\${revision} > \${revision}`,
        replace: `\${column} = iif(excluded.\${revision} > 0 AND excluded.updated_at >= updated_at`,
      },
    ],
  },
];
