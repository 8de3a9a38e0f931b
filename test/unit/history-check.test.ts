import { expect, test } from 'vitest';
import { type FinalState, type Operation, violations } from '../support/histories/history-check.ts';

let clock = 0;
/** Returns times after those of all earlier operations. `from` and `to` are relative to the end of the last one. */
const times = (from = 0, to = from + 1) => ({ invokedAt: clock + from, completedAt: clock + to });
const next = <Made extends Operation>(operation: Made): Made => {
  clock += 10;
  return operation;
};
const create = (first: number, ...texts: string[]): Operation =>
  next({ kind: 'create', first, texts, outcome: 'accepted', ...times() });
const keyed = (key: string, first: number, ...texts: string[]): Operation =>
  ({ ...create(first, ...texts), key }) as Operation;
const unanswered = (...texts: string[]): Operation =>
  next({ kind: 'create', texts, outcome: 'unknown', ...times(), completedAt: Number.POSITIVE_INFINITY });
const edit = (number: number, text: string, more: Partial<Operation> = {}): Operation =>
  next({ kind: 'edit', number, text, outcome: 'accepted', ...times(), ...more } as Operation);
const remove = (number: number, more: Partial<Operation> = {}): Operation =>
  next({ kind: 'delete', number, outcome: 'accepted', ...times(), ...more } as Operation);
const unknown: Partial<Operation> = { outcome: 'unknown', completedAt: Number.POSITIVE_INFINITY };

/** The final state: all texts stored, indexed and counted. */
const rest = (texts: (string | undefined)[], more: Partial<FinalState> = {}): FinalState => {
  const stored = new Map(texts.flatMap((text, i) => (text === undefined ? [] : [[i + 1, text] as const])));
  return { counter: texts.length, stored, indexed: new Map(stored), count: stored.size, ...more };
};

const lawful: [string, Operation[], FinalState][] = [
  ['nothing', [], rest([])],
  [
    'creates in any order of their responses',
    [create(1, 'a'), create(2, 'b', 'c'), create(4, 'd')],
    rest(['a', 'b', 'c', 'd']),
  ],
  ['a repeated key', [keyed('k', 1, 'a'), create(2, 'b'), keyed('k', 1, 'a')], rest(['a', 'b'])],
  ['an unanswered create that is there whole', [unanswered('a', 'b'), create(3, 'c')], rest(['a', 'b', 'c'])],
  ['an unanswered create that is not there', [unanswered('a'), create(1, 'b')], rest(['b'])],
  ['a void number', [unanswered('a'), create(2, 'b')], rest([undefined, 'b'], { mayBeVoid: (number) => number === 1 })],
  ['the last edit', [create(1, 'a'), edit(1, 'b'), edit(1, 'c')], rest(['c'])],
  ['an unanswered edit that won', [create(1, 'a'), edit(1, 'b', unknown), edit(1, 'c')], rest(['b'])],
  ['an unanswered edit without effect', [create(1, 'a'), edit(1, 'b', unknown)], rest(['a'])],
  [
    'a deletion, and refusals after it',
    [create(1, 'a'), remove(1), edit(1, 'b', { outcome: 'refused' })],
    rest([undefined]),
  ],
  ['an unanswered deletion without effect', [create(1, 'a'), remove(1, unknown)], rest(['a'])],
  ['an unanswered deletion with effect', [create(1, 'a'), remove(1, unknown)], rest([undefined])],
];
test.each(lawful)('the check of a history accepts %s', (_what, history, final) => {
  expect(violations(history, final)).toEqual([]);
});

test('the check of a history accepts the text of either of two concurrent edits, and no older one', () => {
  const beside = (text: string) => edit(1, text, { invokedAt: 100_000, completedAt: 100_009 });
  const history = [create(1, 'a'), beside('b'), beside('c')];
  expect(violations(history, rest(['b']))).toEqual([]);
  expect(violations(history, rest(['c']))).toEqual([]);
  expect(violations(history, rest(['a']))).toEqual(['1: has another text than the last edit']);
});

const unlawful: [string, Operation[], FinalState, string][] = [
  ['a number assigned twice', [create(1, 'a'), create(1, 'b')], rest(['a']), '1: was assigned twice'],
  ['batches that overlap', [create(1, 'a', 'b'), create(2, 'c')], rest(['a', 'b']), '2: was assigned twice'],
  [
    'a number below one returned before',
    [create(2, 'b'), create(1, 'a')],
    rest(['a', 'b']),
    '1: was assigned after 2 had',
  ],
  ['a second number of a key', [keyed('k', 1, 'a'), keyed('k', 2, 'a')], rest(['a', 'a']), '2: was returned to a key'],
  ['a gap', [create(1, 'a'), create(3, 'c')], rest(['a', undefined, 'c']), '2: is a gap'],
  ['a second copy', [create(1, 'a')], rest(['a', 'a']), '2: has a text that nobody sent'],
  ['half of an unanswered create', [unanswered('a', 'b')], rest(['a', undefined]), 'exists in part'],
  ['an accepted write that is lost', [create(1, 'a')], rest([undefined]), '1: was accepted and is lost'],
  ['a text that nobody sent', [create(1, 'a')], rest(['b']), '1: has another text'],
  ['an edit that is lost', [create(1, 'a'), edit(1, 'b')], rest(['a']), '1: has another text'],
  ['an older edit that won', [create(1, 'a'), edit(1, 'b'), edit(1, 'c')], rest(['b']), '1: has another text'],
  [
    'a refused edit with effect',
    [create(1, 'a'), remove(1, unknown), edit(1, 'b', { outcome: 'refused' })],
    rest(['b']),
    '1: has another text',
  ],
  ['a deleted text', [create(1, 'a'), remove(1)], rest(['a']), '1: exists again'],
  [
    'an edit accepted after the deletion',
    [create(1, 'a'), remove(1), edit(1, 'b')],
    rest([undefined]),
    '1: edit was accepted after',
  ],
  ['a second deletion', [create(1, 'a'), remove(1), remove(1)], rest([undefined]), '1: delete was accepted after'],
  [
    'a refusal without a reason',
    [create(1, 'a'), edit(1, 'b', { outcome: 'refused' })],
    rest(['a']),
    '1: edit was refused',
  ],
  ['a number above the counter', [create(1, 'a'), create(2, 'b')], rest(['a', 'b'], { counter: 1 }), '2: is above'],
  ['a message that is not indexed', [create(1, 'a')], rest(['a'], { indexed: new Map() }), '1: is not in the index'],
  [
    'a message that is only indexed',
    [create(1, 'a'), remove(1)],
    rest([undefined], { indexed: new Map([[1, 'a']]) }),
    '1: is only in the index',
  ],
  [
    'an older text in the index',
    [create(1, 'a'), edit(1, 'b')],
    rest(['b'], { indexed: new Map([[1, 'a']]) }),
    '1: differs in',
  ],
  ['a wrong count', [create(1, 'a')], rest(['a'], { count: 2 }), 'the count is 2 of 1'],
];
test.each(unlawful)('the check of a history finds %s', (_what, history, final, wrong) => {
  expect(violations(history, final)).toContainEqual(expect.stringContaining(wrong));
});
