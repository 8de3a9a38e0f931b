/**
 * The name that searches use. Behind it stands one index, `messages-<n>`.
 *
 * Workers write into every index behind `messages-writes`: one or, while the messages are indexed anew, two. They write by
 * the name `messages-writes-<n>`, which is one index's own and goes with it: OpenSearch can be told to make no index for a
 * write to a missing alias, but not for one to a missing index.
 */
export const messagesAlias = 'messages';

export const writesAlias = (alias: string): string => `${alias}-writes`;

export const indexName = (alias: string, generation: number): string => `${alias}-${generation}`;
export const ownAlias = (alias: string, generation: number): string => `${writesAlias(alias)}-${generation}`;

/** The `<n>` of an index of the alias; undefined for any other name. */
export function generationOf(alias: string, index: string): number | undefined {
  const digits = index.startsWith(`${alias}-`) ? index.slice(alias.length + 1) : '';
  return /^[1-9][0-9]*$/.test(digits) ? Number(digits) : undefined;
}
