/**
 * The alias that searches use. It points to one index, `messages-<n>`.
 *
 * Workers write to every index of the alias `messages-writes`: one or, during a reindex, two. They address each index
 * by its own alias `messages-writes-<n>`, which is deleted with the index. A late write to the deleted alias fails,
 * because the request says `require_alias`. A late write to the index by its name would create the index again.
 */
export const messagesAlias = 'messages';

export const writesAlias = (alias: string): string => `${alias}-writes`;

export const indexName = (alias: string, indexNumber: number): string => `${alias}-${indexNumber}`;
export const ownAlias = (alias: string, indexNumber: number): string => `${writesAlias(alias)}-${indexNumber}`;

/** Returns the `<n>` of an index of the alias; undefined for any other name. */
export function indexNumberOf(alias: string, index: string): number | undefined {
  const digits = index.startsWith(`${alias}-`) ? index.slice(alias.length + 1) : '';
  return /^[1-9][0-9]*$/.test(digits) ? Number(digits) : undefined;
}
