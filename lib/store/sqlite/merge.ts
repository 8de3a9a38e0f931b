import { type EditableColumn, editable, type MemberColumn, memberNames } from '../sql/members.ts';

interface MergedTable {
  table: string;
  /** The columns of the primary key. */
  key: string[];
  members: MemberColumn[];
}

/** Returns SQL with a placeholder for each key column, each of `memberValues`, `created_at` and `updated_at`. */
export const mergeStatement = ({ table, key, members }: MergedTable): string =>
  `INSERT INTO ${table} (${[...key, ...memberNames(members), 'created_at', 'updated_at'].join(', ')}, deleted)
   VALUES (${'?, '.repeat(key.length + memberNames(members).length + 2)}0)
   ON CONFLICT DO UPDATE SET ${assignments(members).join(', ')} WHERE deleted = 0`;

/** Returns SQL with a placeholder for each key column, each of `blankValues` and `updated_at`. */
export const deletionStatement = ({ table, key, members }: MergedTable): string =>
  `INSERT INTO ${table} (${[...key, ...memberNames(members), 'updated_at'].join(', ')}, deleted)
   VALUES (${'?, '.repeat(key.length + memberNames(members).length + 1)}1)
   ON CONFLICT DO UPDATE SET deleted = 1,
   ${members.map(({ column, blank }) => `${column} = ${blank === null ? 'NULL' : `'${blank}'`}`).join(', ')}`;

/**
 * A higher revision replaces a member. A creation also sets the members that no write has set, because an edit of
 * another member may have arrived before it. Only a creation sets a member that has no revision column. A deleted row
 * does not change.
 */
function assignments(members: MemberColumn[]): string[] {
  const revised = editable(members);
  return [
    ...members.map(({ column, revision }) =>
      revision === undefined
        ? `${column} = coalesce(${column}, excluded.${column})`
        : `${column} = iif(excluded.${revision} > ${revision}
      OR (${revision} = 0 AND created_at IS NULL AND excluded.created_at IS NOT NULL), excluded.${column}, ${column})`,
    ),
    `updated_at = iif(${greatest(revised, 'excluded.')} > ${greatest(revised)}, excluded.updated_at, updated_at)`,
    'created_at = coalesce(created_at, excluded.created_at)',
    ...revised.map(({ revision }) => `${revision} = max(excluded.${revision}, ${revision})`),
  ];
}

/** With one argument, `max` would be the aggregate function. */
const greatest = (members: EditableColumn[], prefix = ''): string => {
  const revisions = members.map(({ revision }) => `${prefix}${revision}`);
  return revisions.length === 1 ? (revisions[0] as string) : `max(${revisions.join(', ')})`;
};
