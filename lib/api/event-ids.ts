import { isNumber } from '../model/bounds.ts';

// The ids of a stream's events. An id contains, for each followed chat or list of chats, the version up to which the
// client has received the changes. A client that reconnects with its last id continues after these versions. To
// clients, ids are opaque.

/** The versions by the numbers of the chats; 0 stands for the list of the application's chats. */
export type Positions = ReadonlyMap<number, number>;

/** Chat 2 at version 18 and the list of chats at version 5: `2-18.0-5`. */
const idPattern = /^(?:0|[1-9]\d*)-(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)-(?:0|[1-9]\d*))*$/;

/** Returns the part of an id for one chat; an id has the parts joined by dots. */
export const idPart = (chat: number, version: number): string => `${chat}-${version}`;

/** Returns the versions in an id; undefined for a text that is not an id. */
export function positionsIn(id: string): Positions | undefined {
  if (!idPattern.test(id)) return undefined;
  const positions = new Map(
    id.split('.').map((part) => {
      const [chat, version] = part.split('-');
      return [Number(chat), Number(version)];
    }),
  );
  for (const [chat, version] of positions)
    if ((chat !== 0 && !isNumber(chat)) || !Number.isSafeInteger(version)) return undefined;
  return positions;
}
