import { type Client, errors } from '@opensearch-project/opensearch';
import { foldVersion } from '../text/fold-table.ts';
import { generationOf, indexName, messagesAlias, ownAlias, writesAlias } from './names.ts';
import { opensearchIndex } from './schema.ts';

/**
 * Makes the index and its aliases where they are missing. May run at any time, and twice at once.
 *
 * @throws Error when the index holds text folded by another version of the table; it is left as it is
 */
export async function migrateOpensearch(client: Client, alias = messagesAlias): Promise<void> {
  if (!(await client.indices.existsAlias({ name: alias })).body)
    await createIndex(client, { alias, generation: 1 }, { aliases: { [alias]: {} } });
  else if (!(await client.indices.existsAlias({ name: writesAlias(alias) })).body) await addWriting(client, alias);
  const { body } = await client.indices.getMapping({ index: alias });
  for (const [index, { mappings }] of Object.entries(body)) {
    const version = mappings._meta?.fold_version;
    if (version !== foldVersion)
      throw new Error(
        `The search index ${index} was made with the case folding ${version}, and this version of chat-system searches with ${foldVersion}: the messages must be indexed anew, with script/ops reindex.`,
      );
  }
}

/** Makes an index that workers write to, with these additional aliases and notes. Does nothing when it exists. */
export async function createIndex(
  client: Client,
  { alias, generation }: { alias: string; generation: number },
  { aliases = {}, meta = {} }: { aliases?: Record<string, object>; meta?: Record<string, unknown> },
): Promise<void> {
  await client.indices.putIndexTemplate({
    name: alias,
    body: { index_patterns: [`${alias}-*`], template: opensearchIndex },
  });
  try {
    await client.indices.create({
      index: indexName(alias, generation),
      body: {
        aliases: { ...aliases, [writesAlias(alias)]: {}, [ownAlias(alias, generation)]: {} },
        mappings: { _meta: { ...opensearchIndex.mappings._meta, ...meta } },
      },
    });
  } catch (error) {
    // Somebody else was faster; an index and its aliases come at once.
    if (!(error instanceof errors.ResponseError && error.body?.error?.type === 'resource_already_exists_exception'))
      throw error;
  }
}

/** An index from before there was an alias for writing. */
async function addWriting(client: Client, alias: string): Promise<void> {
  const { body } = await client.indices.getAlias({ name: alias });
  for (const index of Object.keys(body)) {
    const generation = generationOf(alias, index) ?? 1;
    const actions = [writesAlias(alias), ownAlias(alias, generation)].map((name) => ({ add: { index, alias: name } }));
    await client.indices.updateAliases({ body: { actions } });
  }
}
