import { type Client, errors } from '@opensearch-project/opensearch';
import { foldVersion } from './fold-table.ts';
import { opensearchIndex } from './opensearch-schema.ts';

/** The name that functions use; behind it stands an index of the template's making. */
export const messagesAlias = 'messages';

/**
 * Makes the index and its alias where they are missing. May run at any time, and twice at once.
 *
 * @throws Error when the index holds text folded by another version of the table; it is left as it is
 */
export async function migrateOpensearch(client: Client, alias = messagesAlias): Promise<void> {
  if (!(await client.indices.existsAlias({ name: alias })).body) await create(client, alias);
  const { body } = await client.indices.getMapping({ index: alias });
  for (const [index, { mappings }] of Object.entries(body)) {
    const version = mappings._meta?.fold_version;
    if (version !== foldVersion)
      throw new Error(
        `The search index ${index} was made with the case folding ${version}, and this version of chat-system searches with ${foldVersion}: the messages must be indexed anew.`,
      );
  }
}

async function create(client: Client, alias: string): Promise<void> {
  await client.indices.putIndexTemplate({
    name: alias,
    body: { index_patterns: [`${alias}-*`], template: opensearchIndex },
  });
  try {
    await client.indices.create({ index: `${alias}-1`, body: { aliases: { [alias]: { is_write_index: true } } } });
  } catch (error) {
    // Somebody else was faster; an index and its alias come at once.
    if (!(error instanceof errors.ResponseError && error.body?.error?.type === 'resource_already_exists_exception'))
      throw error;
  }
}
