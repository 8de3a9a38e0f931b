/**
 * The alias that searches use. It points to one index, `messages-<n>`.
 *
 * Workers write to every index of the alias `messages-writes`: one or, during a reindex, two. They address each index
 * by its own alias `messages-writes-<n>`, which is deleted with the index. A late write to the deleted alias fails,
 * because the request says `require_alias`. A late write to the index by its name would create the index again.
 */
export const messagesAlias = 'messages';

export const writesAlias = (alias: string): string => `${alias}-writes`;

export const indexName = (alias: string, generation: number): string => `${alias}-${generation}`;
export const ownAlias = (alias: string, generation: number): string => `${writesAlias(alias)}-${generation}`;

/** Returns the `<n>` of an index of the alias; undefined for any other name. */
export function generationOf(alias: string, index: string): number | undefined {
  const digits = index.startsWith(`${alias}-`) ? index.slice(alias.length + 1) : '';
  return /^[1-9][0-9]*$/.test(digits) ? Number(digits) : undefined;
}
