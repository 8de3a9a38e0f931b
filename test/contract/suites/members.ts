import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemberColumn } from '../../../lib/store/sql/members.ts';

/** A table with two members, of which the second may be null. */
export const twoMembers: MemberColumn[] = [
  { column: 'one', revision: 'revision', blank: '' },
  { column: 'two', revision: 'two_revision', blank: null },
];

/**
 * A write to one row of the table. A creation sets both members, an edit sets one or both, and a deletion sets none.
 */
export type MemberWrite =
  | { kind: 'write'; revision: number; at: number; change: { one?: string; two?: string | null } }
  | { kind: 'deletion'; at: number };

export interface MemberRow {
  one: string;
  two: string | null;
  revision: number;
  two_revision: number;
  deleted: number;
  created_at: number | null;
  updated_at: number;
}

export interface MergedTable {
  /** Merges the writes into the row of the key, one after another. */
  merge: (key: string, writes: MemberWrite[]) => Promise<void>;
  row: (key: string) => Promise<MemberRow | undefined>;
  close: () => Promise<void>;
}

const created: MemberWrite = { kind: 'write', revision: 0, at: 1_000, change: { one: 'one, 0', two: 'two, 0' } };

/** Generates a history: a creation, edits of one or both members, and sometimes a deletion. */
const history: fc.Arbitrary<MemberWrite[]> = fc
  .tuple(fc.array(fc.constantFrom('one', 'two', 'both', 'clear'), { maxLength: 5 }), fc.boolean())
  .map(([edits, isDeleted]) => [
    created,
    ...edits.map((edit, i): MemberWrite => {
      const revision = i + 1;
      const [one, two] = [`one, ${revision}`, edit === 'clear' ? null : `two, ${revision}`];
      const change = { ...(edit === 'one' || edit === 'both' ? { one } : {}), ...(edit !== 'one' && { two }) };
      return { kind: 'write', revision, at: 1_000 + revision, change };
    }),
    ...(isDeleted ? [{ kind: 'deletion', at: 9_000 } as const] : []),
  ]);

/** Returns the writes in random order, some of them twice. */
const delivered = (writes: MemberWrite[]) =>
  fc
    .subarray(writes)
    .chain((twice) => fc.shuffledSubarray([...writes, ...twice], { minLength: writes.length + twice.length }));

/** Computes the expected row from the rules: each member has the value of the highest revision that set it. */
function expectedRow(writes: MemberWrite[]): Partial<MemberRow> {
  if (writes.some(({ kind }) => kind === 'deletion')) return { deleted: 1, one: '', two: null };
  const inOrder = writes
    .flatMap((write) => (write.kind === 'write' ? [write] : []))
    .sort((a, b) => a.revision - b.revision);
  const setOne = inOrder.filter(({ change }) => change.one !== undefined).at(-1);
  const setTwo = inOrder.filter(({ change }) => change.two !== undefined).at(-1);
  return {
    one: setOne?.change.one as string,
    two: setTwo?.change.two as string | null,
    revision: setOne?.revision as number,
    two_revision: setTwo?.revision as number,
    deleted: 0,
    created_at: 1_000,
    updated_at: inOrder.at(-1)?.at as number,
  };
}

/** The contract of the SQL that is generated from a list of members, tried on a table of its own. */
export function memberContract(name: string, open: () => Promise<MergedTable>): void {
  describe(`merging a row with two members, ${name}`, () => {
    let table: MergedTable;
    beforeAll(async () => {
      table = await open();
    });
    afterAll(() => table.close());

    test('edits of different members commute: every order with any repetitions results in the same row', async () => {
      let rows = 0;
      const cases = history.chain((writes) => fc.tuple(fc.constant(writes), delivered(writes)));
      await fc.assert(
        fc.asyncProperty(cases, async ([writes, order]) => {
          const key = `row ${rows++}`;
          await table.merge(key, order);
          expect(await table.row(key)).toMatchObject(expectedRow(writes));
        }),
        { numRuns: 200 },
      );
    });

    test('an edit that arrives before the creation leaves the other member to the creation', async () => {
      const edit: MemberWrite = { kind: 'write', revision: 3, at: 1_003, change: { two: null } };
      await table.merge('early', [edit]);
      expect(await table.row('early')).toMatchObject({ one: '', two: null, two_revision: 3, created_at: null });
      await table.merge('early', [created]);
      expect(await table.row('early')).toMatchObject({ one: 'one, 0', two: null, revision: 0, two_revision: 3 });
    });
  });
}
