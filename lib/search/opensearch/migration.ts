import { type Client, errors } from '@opensearch-project/opensearch';
import { foldVersion } from '../text/fold-table.ts';
import { indexName, indexNumberOf, messagesAlias, ownAlias, writesAlias } from './names.ts';
import { contentFields, opensearchIndex } from './schema.ts';

/**
 * Creates the index and its aliases unless they exist. May run at any time, also concurrently.
 *
 * @throws Error when the texts in the index were folded by another version of the table; the index stays unchanged
 */
export async function migrateOpensearch(client: Client, alias = messagesAlias): Promise<void> {
  if (!(await client.indices.existsAlias({ name: alias })).body)
    await createIndex(client, { alias, indexNumber: 1 }, { aliases: { [alias]: {} } });
  else if (!(await client.indices.existsAlias({ name: writesAlias(alias) })).body) await addWriting(client, alias);
  const { body } = await client.indices.getMapping({ index: alias });
  for (const [index, { mappings }] of Object.entries(body)) {
    // An index of an earlier version lacks the fields that were added later. Adding them changes no document.
    if (Object.keys(contentFields).some((field) => !Object.hasOwn(mappings.properties ?? {}, field)))
      await client.indices.putMapping({ index, body: { properties: contentFields } });
    const version = mappings._meta?.fold_version;
    if (version !== foldVersion)
      throw new Error(
        `The search index ${index} was built with case folding ${version}, but this version of chat-system searches with ${foldVersion}. Run script/ops reindex to rebuild the index.`,
      );
  }
}

/** Creates an index that workers write to, with additional aliases and metadata. Does nothing when it exists. */
export async function createIndex(
  client: Client,
  { alias, indexNumber }: { alias: string; indexNumber: number },
  { aliases = {}, meta = {} }: { aliases?: Record<string, object>; meta?: Record<string, unknown> },
): Promise<void> {
  await client.indices.putIndexTemplate({
    name: alias,
    body: { index_patterns: [`${alias}-*`], template: opensearchIndex },
  });
  try {
    await client.indices.create({
      index: indexName(alias, indexNumber),
      body: {
        aliases: { ...aliases, [writesAlias(alias)]: {}, [ownAlias(alias, indexNumber)]: {} },
        mappings: { _meta: { ...opensearchIndex.mappings._meta, ...meta } },
      },
    });
  } catch (error) {
    // Another process created it first; an index and its aliases are created together.
    if (!(error instanceof errors.ResponseError && error.body?.error?.type === 'resource_already_exists_exception'))
      throw error;
  }
}

/** Adds the write aliases to an index that was created before they existed. */
async function addWriting(client: Client, alias: string): Promise<void> {
  const { body } = await client.indices.getAlias({ name: alias });
  for (const index of Object.keys(body)) {
    const indexNumber = indexNumberOf(alias, index) ?? 1;
    const actions = [writesAlias(alias), ownAlias(alias, indexNumber)].map((name) => ({ add: { index, alias: name } }));
    await client.indices.updateAliases({ body: { actions } });
  }
}
