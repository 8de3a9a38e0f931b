import { stepJson } from '../../functions/api/shared/changes.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import type { Parent } from '../../lib/model/keys.ts';
import type { Change, Changes, ChangesPage, Step } from '../../lib/store/changes.ts';
import { PreparedStep } from './prepared-step.ts';
import type { FeedReads, Missed } from './reads.ts';

/** Changes that are read at a time. */
const changesAtOnce = 100;
/** A part of what was missed ends with the step that brings it to this many bytes. No step is split. */
const partBytes = 262_144;

/** A part of what was missed, as a reader process sends it: the JSON of steps by their versions. */
export interface MissedPart {
  steps: [version: number, json: string][];
  upTo: number;
}

/** Returns the reads of the feed in the accepting thread. It passes `missed` on to a reader process. */
export const feedReads = (
  store: Changes,
  ledger: Pick<Ledger, 'chat' | 'accessGeneration'>,
  missedPart: (parent: Parent, after: number) => Promise<MissedPart | undefined>,
): FeedReads => ({
  version: (parent) => store.version(parent),
  async steps(parent, after, upTo) {
    const versions = Array.from({ length: upTo - after }, (_, i) => ({ ...parent, version: after + 1 + i }));
    const steps = await store.steps(versions);
    return steps.filter(({ changes }) => changes.length > 0).map((step) => preparedStep(step));
  },
  async missed(parent, after): Promise<Missed | undefined> {
    const part = await missedPart(parent, after);
    return (
      part && {
        steps: part.steps.map(([version, json]) => new PreparedStep(parent.chat ?? 0, version, json)),
        upTo: part.upTo,
      }
    );
  },
  generation: (token) => ledger.accessGeneration(token),
  async deletedChats(token, chats) {
    const found = await Promise.all(chats.map((chat) => ledger.chat(token, chat)));
    return chats.filter((_, i) => found[i] === undefined);
  },
});

function preparedStep(step: Step): PreparedStep {
  const deleted = step.chat === undefined ? step.changes.filter(({ type }) => type === 'deleted') : [];
  return new PreparedStep(
    step.chat ?? 0,
    step.version,
    stepJson(step),
    deleted.map(({ number }) => number),
  );
}

/**
 * Reads the next part of what came after a version. It can take long, so it runs in a reader process.
 *
 * @returns steps that are complete up to the version `upTo`. It is lower than `after` if the store does not have
 *   the version `after`
 */
export async function missedPart(store: Changes, parent: Parent, after: number): Promise<MissedPart> {
  // Read the version before the changes. A change that is committed in between has a later version, so it is not lost.
  const version = await store.version(parent);
  if (after >= version) return { steps: [], upTo: version };
  const range = { after: { version: after }, upTo: version, limit: changesAtOnce };
  const { token, chat } = parent;
  const { steps, upTo } =
    chat === undefined
      ? wholeSteps(await store.chatChanges(token, range), version, (of) => ({ token, ...of }))
      : wholeSteps(await store.messageChanges({ token, chat }, range), version, (of) => ({ token, chat, ...of }));
  const part: MissedPart = { steps: [], upTo };
  let bytes = 0;
  for (const step of steps) {
    const json = stepJson('changes' in step ? step : ((await store.steps([{ ...parent, ...step }]))[0] as Step));
    part.steps.push([step.version, json]);
    bytes += json.length;
    if (bytes < partBytes) continue;
    part.upTo = step.version;
    break;
  }
  return part;
}

/**
 * Returns the steps of a page of changes, and the version up to which they are complete. If the first version does not
 * fit on the page, returns only this version, without changes.
 */
function wholeSteps<Stored, Of extends Step>(
  { changes, next }: ChangesPage<Stored>,
  version: number,
  stepOf: (of: { version: number; changes: Change<Stored>[] }) => Of,
): { steps: (Of | { version: number })[]; upTo: number } {
  const byVersion = Map.groupBy(changes, (change) => change.version);
  const [first] = byVersion.keys();
  if (next !== undefined && next === first) return { steps: [{ version: first }], upTo: first };
  if (next !== undefined) byVersion.delete(next);
  return {
    steps: [...byVersion].map(([of, changesOf]) => stepOf({ version: of, changes: changesOf })),
    upTo: next === undefined ? version : next - 1,
  };
}
