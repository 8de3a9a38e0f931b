import type { Parent } from '../model/keys.ts';
import type { Difference } from './difference.ts';
import type { Run } from './run.ts';

/**
 * Yields a difference when a chat, or the list of an application's chats, has a lower version than one of its rows. No
 * follower gets such a row until later writes have raised the version to that of the row.
 */
export async function* compareVersion({ store, repair }: Run, parent: Parent): AsyncGenerator<Difference> {
  const { version, highest } = await store.rowVersions(parent);
  if (highest <= version) return;
  if (repair) await store.raiseVersion(parent, highest);
  yield { kind: 'version too low', ...parent, version, highest, repaired: repair };
}
