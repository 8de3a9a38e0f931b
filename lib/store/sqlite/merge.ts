import { type EditableColumn, editable, type MemberColumn, memberNames } from '../sql/members.ts';

interface MergedTable {
  table: string;
  /** The columns of the primary key. */
  key: string[];
  members: MemberColumn[];
  /** Whether rows have a column for the version that changed them last. */
  versioned: boolean;
}

/** Returns the columns that a statement sets to the values of its placeholders. */
const columnsOf = ({ key, members, versioned }: MergedTable, times: string[]): string[] => [
  ...key,
  ...memberNames(members),
  ...times,
  ...(versioned ? ['version'] : []),
];

/**
 * Returns SQL that merges this number of rows, one after the other. It has for each row a placeholder for each key
 * column, each of `memberValues`, `created_at`, `updated_at` and, if the table has it, `version`. A write that was merged
 * before changes no row.
 */
export function mergeStatement(merged: MergedTable, rows = 1): string {
  const columns = columnsOf(merged, ['created_at', 'updated_at']);
  const row = `(${'?, '.repeat(columns.length)}0)`;
  return `INSERT INTO ${merged.table} (${columns.join(', ')}, deleted) VALUES ${Array(rows).fill(row).join(', ')}
   ON CONFLICT DO UPDATE SET ${[...assignments(merged.members), ...stamp(merged)].join(', ')}
   WHERE deleted = 0 AND (${changeConditions(merged.members).join(' OR ')})`;
}

/**
 * Returns SQL with a placeholder for each key column, each of `blankValues`, `updated_at` and, if the table has it,
 * `version`. A deletion that was merged before changes no row.
 */
export function deletionStatement(merged: MergedTable): string {
  const columns = columnsOf(merged, ['updated_at']);
  const blanks = merged.members.map(({ column, blank }) => `${column} = ${blank === null ? 'NULL' : `'${blank}'`}`);
  return `INSERT INTO ${merged.table} (${columns.join(', ')}, deleted) VALUES (${'?, '.repeat(columns.length)}1)
   ON CONFLICT DO UPDATE SET deleted = 1, ${[...blanks, ...stamp(merged)].join(', ')} WHERE deleted = 0`;
}

const stamp = ({ versioned }: MergedTable): string[] => (versioned ? ['version = excluded.version'] : []);

/** Returns the conditions under which a write changes a row that is not deleted. */
const changeConditions = (members: MemberColumn[]): string[] => [
  ...editable(members).map(({ revision }) => `excluded.${revision} > ${revision}`),
  '(created_at IS NULL AND excluded.created_at IS NOT NULL)',
];

/**
 * Returns the assignments that merge a new row into the stored one. A higher revision replaces a member. A creation
 * also sets the members that no write has set, because an edit of another member may have arrived before it. Only a
 * creation sets a member that has no revision column. A deleted row does not change.
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

/** Returns SQL for the highest revision of the members. With one argument, `max` would be the aggregate function. */
const greatest = (members: EditableColumn[], prefix = ''): string => {
  const revisions = members.map(({ revision }) => `${prefix}${revision}`);
  return revisions.length === 1 ? (revisions[0] as string) : `max(${revisions.join(', ')})`;
};
