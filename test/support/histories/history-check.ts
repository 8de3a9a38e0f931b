/** What came of a request: `unknown` after a 503, or when no answer came. */
export type Outcome = 'accepted' | 'refused' | 'unknown';

/**
 * A request that writes, as its client saw it. All are about one parent: a chat and its messages, or an application and
 * its chats. Times are of one clock, in any unit; what was never answered completes never (Infinity).
 */
export type Operation = { invokedAt: number; completedAt: number; outcome: Outcome } & (
  | {
      kind: 'create';
      /** The texts of what it creates, one after the other; different from those of any other create without its key. */
      texts: string[];
      /** The number that was answered for the first of them. */
      first?: number;
      key?: string;
    }
  | { kind: 'edit'; number: number; text: string }
  | { kind: 'delete'; number: number }
);

/** What is there when everything has come to rest. */
export interface FinalState {
  /** The highest number that was ever given. */
  counter: number;
  /** What can be read, by number. */
  stored: Map<number, string>;
  /** What can be found, by number, where it is indexed. */
  indexed?: Map<number, string>;
  /** The count that readers are told. */
  count: number;
  /** Numbers that may be void: taken for a create that was never answered 2xx. */
  mayBeVoid?: (number: number) => boolean;
}

type Create = Extract<Operation, { kind: 'create' }>;
type Change = Exclude<Operation, { kind: 'create' }>;

/**
 * Holds a history against what is there in the end, and answers every way in which no correct system could have got there:
 *
 * - a create has numbers of its own, the same at every repetition of its key, and higher ones than what was answered before
 *   it was asked for; from 1 up, each number holds a create, whole, or may be void;
 * - what was accepted is stored, unless a deletion was; what was deleted is not, and nothing is that nobody sent;
 * - a text is that of the last accepted edit, of one beside it in time, or of a later one with an unknown outcome;
 * - the index holds what the store holds, and the count is how much that is.
 */
export function violations(history: Operation[], final: FinalState): string[] {
  const creates = history.filter((each) => each.kind === 'create');
  const changes = Map.groupBy(
    history.filter((each): each is Change => each.kind !== 'create'),
    ({ number }) => number,
  );
  const given = numbersGiven(creates);
  const found = [...given.wrong, ...numbersInOrder(creates)];
  // Texts tell what became of the creates that were not answered.
  const unanswered = new Map(
    creates.filter(({ outcome, texts }) => outcome === 'unknown' && !given.texts.has(texts.join())).map(byFirstText),
  );
  for (let number = 1; number <= final.counter; number++) {
    const create = given.byNumber.get(number);
    if (create) {
      found.push(...contentOf(number, create.text, create.by, changes.get(number) ?? [], final.stored.get(number)));
      continue;
    }
    const text = final.stored.get(number);
    const late = text === undefined ? undefined : unanswered.get(text);
    if (late) {
      unanswered.delete(late.texts[0] as string);
      for (const [i, each] of late.texts.entries())
        if (final.stored.get(number + i) !== each)
          found.push(`${number}: an unanswered create of ${late.texts.length} is there in part`);
      number += late.texts.length - 1;
    } else if (text !== undefined) found.push(`${number}: holds what nobody sent, or what was refused`);
    else if (!final.mayBeVoid?.(number)) found.push(`${number}: is a gap`);
  }
  for (const number of new Set([...given.byNumber.keys(), ...final.stored.keys()]))
    if (number < 1 || number > final.counter) found.push(`${number}: lies beyond the counter, ${final.counter}`);
  found.push(...indexLikeStore(final));
  if (final.count !== final.stored.size) found.push(`the count is ${final.count} of ${final.stored.size}`);
  return found;
}

const byFirstText = (create: Create): [string, Create] => [create.texts[0] as string, create];

/** Which create each number was answered to. A key's creates are one. */
function numbersGiven(creates: Create[]) {
  const byNumber = new Map<number, { text: string; by: Create }>();
  const byKey = new Map<string, number>();
  const texts = new Set<string>();
  const wrong: string[] = [];
  for (const create of creates.filter(({ outcome }) => outcome === 'accepted')) {
    const first = create.first as number;
    texts.add(create.texts.join());
    const before = create.key === undefined ? undefined : byKey.get(create.key);
    if (before !== undefined) {
      if (before !== first) wrong.push(`${first}: was answered to a key that had ${before} before`);
      continue;
    }
    if (create.key !== undefined) byKey.set(create.key, first);
    for (const [i, text] of create.texts.entries()) {
      if (byNumber.has(first + i)) wrong.push(`${first + i}: was given twice`);
      byNumber.set(first + i, { text, by: create });
    }
  }
  return { byNumber, texts, wrong };
}

/** A create that was asked for after another was answered has a higher number. */
function numbersInOrder(creates: Create[]): string[] {
  const keyless = creates.filter(({ outcome, key }) => outcome === 'accepted' && key === undefined);
  const byEnd = keyless.toSorted((a, b) => a.completedAt - b.completedAt);
  const byBegin = keyless.toSorted((a, b) => a.invokedAt - b.invokedAt);
  let [highest, ended] = [0, 0];
  const wrong: string[] = [];
  for (const { first = 0, invokedAt } of byBegin) {
    for (let one = byEnd[ended]; one && one.completedAt < invokedAt; one = byEnd[++ended])
      highest = Math.max(highest, (one.first ?? 0) + one.texts.length - 1);
    if (first <= highest) wrong.push(`${first}: was given after ${highest} had been answered`);
  }
  return wrong;
}

/** What is wrong with what is stored under a number that was answered. */
function contentOf(number: number, created: string, by: Operation, changes: Change[], stored: string | undefined) {
  const wrong: string[] = [];
  const deletions = changes.filter(({ kind, outcome }) => kind === 'delete' && outcome !== 'refused');
  const deleted = deletions.find(({ outcome }) => outcome === 'accepted');
  for (const { kind, outcome, invokedAt, completedAt } of changes) {
    if (outcome === 'accepted' && deleted && invokedAt > deleted.completedAt)
      wrong.push(`${number}: ${kind} was accepted after the deletion`);
    if (outcome === 'refused' && !deletions.some((each) => each.invokedAt < completedAt))
      wrong.push(`${number}: ${kind} was refused though it was there`);
  }
  if (deleted && stored !== undefined) wrong.push(`${number}: is there again after its deletion`);
  if (deletions.length === 0 && stored === undefined) wrong.push(`${number}: was accepted and is lost`);
  if (stored === undefined || deleted) return wrong;

  const edits = changes.filter((each) => each.kind === 'edit').filter(({ outcome }) => outcome !== 'refused');
  const accepted = edits.filter(({ outcome }) => outcome === 'accepted');
  const possible = [{ ...by, text: created }, ...edits].filter(
    // Of what was not answered nobody knows when it was accepted.
    ({ completedAt, outcome }) => outcome === 'unknown' || !accepted.some(({ invokedAt }) => invokedAt > completedAt),
  );
  if (!possible.some(({ text }) => text === stored)) wrong.push(`${number}: holds something else than the last edit`);
  return wrong;
}

function indexLikeStore({ stored, indexed }: FinalState): string[] {
  if (!indexed) return [];
  const wrong: string[] = [];
  for (const number of new Set([...stored.keys(), ...indexed.keys()]))
    if (!indexed.has(number)) wrong.push(`${number}: is not in the index`);
    else if (!stored.has(number)) wrong.push(`${number}: is in the index alone`);
    else if (indexed.get(number) !== stored.get(number)) wrong.push(`${number}: is another in the index`);
  return wrong;
}
