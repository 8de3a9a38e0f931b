import { Client, type ClientOptions, errors } from '@opensearch-project/opensearch';
import { unavailable } from '../api/problems.ts';
import { limits } from '../limits.ts';
import { fold } from './fold.ts';
import { opensearchIndex } from './opensearch-schema.ts';
import type { SearchDocument, SearchIndex, SearchMatch, SearchPage, SearchQuery } from './search-index.ts';

/** A function has 29 s to answer; a search takes milliseconds, a bulk of 1,000 messages under a second. */
const requestTimeoutMs = 10_000;

/**
 * Opens a client; it connects at its first request, so this never fails.
 *
 * @param signing signs each request, where the cluster asks for that
 */
export const openOpensearch = (url: string, signing?: Pick<ClientOptions, 'Connection'>): Client =>
  new Client({ ...signing, node: url, requestTimeout: requestTimeoutMs });

/** The name that functions use; behind it stands an index of the template's making. */
export const messagesAlias = 'messages';

/** Makes the index and its alias where they are missing. May run at any time, and twice at once. */
export async function migrateOpensearch(client: Client, alias = messagesAlias): Promise<void> {
  if ((await client.indices.existsAlias({ name: alias })).body) return;
  await client.indices.putIndexTemplate({
    name: alias,
    body: { index_patterns: [`${alias}-*`], template: opensearchIndex },
  });
  try {
    await client.indices.create({ index: `${alias}-1`, body: { aliases: { [alias]: { is_write_index: true } } } });
  } catch (error) {
    if (!(error instanceof errors.ResponseError && error.body?.error?.type === 'resource_already_exists_exception'))
      throw error;
  }
}

/** What a document holds; `folded` is searched, and the rest answers. */
interface Source {
  token: string;
  chat: number;
  number: number;
  body?: string;
  folded?: string;
  created_at: number;
  updated_at: number;
}

/** The search index in OpenSearch. */
export class OpensearchIndex implements SearchIndex {
  readonly #client: Client;
  readonly #alias: string;

  constructor(client: Client, alias = messagesAlias) {
    this.#client = client;
    this.#alias = alias;
  }

  async index(documents: SearchDocument[]): Promise<void> {
    if (documents.length === 0) return;
    const { body } = await this.#client.bulk({ index: this.#alias, body: documents.flatMap(operationOf) });
    // A conflict says that the index has this version or a newer one, which is what was wanted.
    const failed = body.items.map((item) => item.index).find((item) => item?.error && item.status !== 409);
    if (failed) throw new Error(`OpenSearch refused a document with ${failed.status} ${failed.error?.type}`);
  }

  async search({ token, chat, q, limit, after }: SearchQuery): Promise<SearchPage> {
    const inChat = chat !== undefined;
    const filter: Record<string, unknown>[] = [{ term: { token } }, matching(fold(q))];
    if (inChat) filter.push({ term: { chat } });
    const order = inChat ? ['number'] : ['created_at', 'chat', 'number'];
    const position = after && (inChat ? [after.number] : [after.createdAt, after.chat, after.number]);
    const body = await this.#ask(
      {
        size: limit + 1,
        query: { bool: { filter } },
        sort: order.map((field) => ({ [field]: 'desc' })),
        track_total_hits: limits.exactTotal,
        ...(position && { search_after: position }),
      },
      token,
    );
    const { total, hits } = body.hits;
    return {
      matches: hits.slice(0, limit).map((hit) => matchOf(hit._source)),
      more: hits.length > limit,
      total: total.value,
      totalIsMinimum: total.relation === 'gte',
    };
  }

  async purge({ token, chat }: { token: string; chat?: number }, limit: number): Promise<number> {
    const filter: Record<string, unknown>[] = [{ term: { token } }];
    if (chat !== undefined) filter.push({ term: { chat } });
    const { body } = await this.#client.deleteByQuery({
      index: this.#alias,
      routing: token,
      max_docs: limit,
      conflicts: 'proceed',
      refresh: true,
      body: { query: { bool: { filter } } },
    });
    return Number((body as { deleted?: number }).deleted ?? 0);
  }

  async #ask(query: object, token: string) {
    try {
      const { body } = await this.#client.search({ index: this.#alias, routing: token, body: query });
      return body as unknown as {
        hits: { total: { value: number; relation: 'eq' | 'gte' }; hits: { _source: Source }[] };
      };
    } catch (error) {
      throw unavailable(error);
    }
  }
}

/** Three code points and more: consecutive trigrams are exactly a substring. Shorter ones are grams themselves. */
const matching = (folded: string): Record<string, unknown> =>
  [...folded].length >= 3 ? { match_phrase: { folded } } : { term: { 'folded.grams': folded } };

function operationOf({ token, chat, number, version, body, createdAt, updatedAt }: SearchDocument): object[] {
  const source: Source = { token, chat, number, created_at: createdAt, updated_at: updatedAt };
  if (body !== null) Object.assign(source, { body, folded: fold(body) });
  return [
    { index: { _id: `${token}/${chat}/${number}`, routing: token, version: version + 1, version_type: 'external' } },
    source,
  ];
}

const matchOf = ({ chat, number, body = '', created_at, updated_at }: Source): SearchMatch => ({
  chat,
  number,
  body,
  createdAt: created_at,
  updatedAt: updated_at,
});
