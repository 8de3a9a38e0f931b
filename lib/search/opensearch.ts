import type { Client } from '@opensearch-project/opensearch';
import { unavailable } from '../api/problems.ts';
import { limits } from '../limits.ts';
import { fold } from './fold.ts';
import { type Bulk, bulks, type Source } from './opensearch-bulk.ts';
import { isOutage, within } from './opensearch-client.ts';
import { messagesAlias } from './opensearch-migration.ts';
import {
  type RefusedDocument,
  RefusedDocuments,
  type SearchDocument,
  type SearchIndex,
  type SearchMatch,
  type SearchPage,
  type SearchQuery,
} from './search-index.ts';

/** The error of a bulk's item that lies in the document itself, and will be the same at the next try. */
const documentError = 'mapper_parsing_exception';

/** The search index in OpenSearch. */
export class OpensearchIndex implements SearchIndex {
  readonly #client: Client;
  readonly #alias: string;

  constructor(client: Client, alias = messagesAlias) {
    this.#client = client;
    this.#alias = alias;
  }

  async index(documents: SearchDocument[]): Promise<void> {
    const refused: RefusedDocument[] = [];
    for (const bulk of bulks(documents)) refused.push(...(await this.#index(bulk)));
    if (refused.length > 0) throw new RefusedDocuments(refused);
  }

  /** Answers the documents that OpenSearch will never take; when it refused any for now, all are to come again. */
  async #index(bulk: Bulk): Promise<RefusedDocument[]> {
    const request = this.#client.bulk({
      index: this.#alias,
      // Without it, OpenSearch would make an index of its own fashion where the alias is missing.
      require_alias: true,
      // The client sends strings as they are.
      body: bulk.operations as unknown as object[],
    });
    const { body } = await within(limits.searchMs.work, request);
    const refused: RefusedDocument[] = [];
    for (const [i, { index: item }] of body.items.entries()) {
      // A conflict says that the index has this version or a newer one, which is what was wanted.
      if (!item?.error || item.status === 409) continue;
      const { type } = item.error;
      // OpenSearch's own words would quote the document.
      const reason = `${item.status} ${type}`;
      if (type !== documentError)
        throw Object.assign(new Error(`OpenSearch did not take a document: ${reason}`), { code: type });
      refused.push({ document: bulk.documents[i] as SearchDocument, reason });
    }
    return refused;
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
    const request = this.#client.deleteByQuery({
      index: this.#alias,
      routing: token,
      max_docs: limit,
      conflicts: 'proceed',
      refresh: true,
      body: { query: { bool: { filter } } },
    });
    const { body } = await within(limits.searchMs.work, request);
    return Number((body as { deleted?: number }).deleted ?? 0);
  }

  async #ask(query: object, token: string) {
    const request = this.#client.search({
      index: this.#alias,
      routing: token,
      // What is found while a part of the index is out is not the answer.
      allow_partial_search_results: false,
      body: query,
    });
    try {
      const { body } = await within(limits.searchMs.search, request);
      return body as unknown as {
        hits: { total: { value: number; relation: 'eq' | 'gte' }; hits: { _source: Source }[] };
      };
    } catch (error) {
      throw isOutage(error) ? unavailable(error) : error;
    }
  }
}

/** Three code points and more: consecutive trigrams are exactly a substring. Shorter ones are grams themselves. */
const matching = (folded: string): Record<string, unknown> =>
  [...folded].length >= 3 ? { match_phrase: { folded } } : { term: { 'folded.grams': folded } };

const matchOf = ({ chat, number, body = '', created_at, updated_at }: Source): SearchMatch => ({
  chat,
  number,
  body,
  createdAt: created_at,
  updatedAt: updated_at,
});
