import type { Parent } from '../model/keys.ts';
import type { Difference } from './difference.ts';
import type { Run } from './run.ts';

/**
 * Yields a difference when a row has a higher version than its chat, or than the chats of its application. Nobody who
 * follows changes gets such a row, until a later write raises the version that far.
 */
export async function* compareVersion({ store, repair }: Run, parent: Parent): AsyncGenerator<Difference> {
  const { version, highest } = await store.rowVersions(parent);
  if (highest <= version) return;
  if (repair) await store.raiseVersion(parent, highest);
  yield { kind: 'version too low', ...parent, version, highest, repaired: repair };
}
