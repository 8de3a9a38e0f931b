import type { Client } from '@opensearch-project/opensearch';
import { limits } from '../../limits.ts';
import { Unavailable } from '../../model/errors.ts';
import type { ChatKey, MessageKey, Parent } from '../../model/keys.ts';
import {
  type DocumentVersion,
  noRevisions,
  type RefusedDocument,
  RefusedDocuments,
  revisionsOf,
  type SearchDocument,
  type SearchIndex,
  type SearchMatch,
  type SearchPage,
  type SearchQuery,
} from '../search-index.ts';
import { fold } from '../text/fold.ts';
import { byValidNumbers } from '../valid-numbers.ts';
import { contentIn, documentId, indexInto, internalVersion, type Source } from './bulk.ts';
import { isOpensearchOutage, withDeadline } from './client.ts';
import { indexNumberOf, messagesAlias, ownAlias, writesAlias } from './names.ts';

/** The search index in OpenSearch. */
export class OpensearchIndex implements SearchIndex {
  readonly #client: Client;
  readonly #alias: string;
  readonly #writeIndexesMs: number;
  /** The cached result of `#writeAliases`, and when it was read, in milliseconds since 1970. */
  #cached: { aliases: string[]; at: number } | undefined;

  constructor(client: Client, alias = messagesAlias, writeIndexesMs: number = limits.writeIndexesMs) {
    this.#client = client;
    this.#alias = alias;
    this.#writeIndexesMs = writeIndexesMs;
  }

  async index(documents: SearchDocument[]): Promise<void> {
    const { valid, refused: invalid } = byValidNumbers(documents);
    const refused = new Map<SearchDocument, RefusedDocument>(invalid.map((each) => [each.document, each]));
    try {
      for (const alias of await this.#writeAliases())
        for (const each of await indexInto(this.#client, alias, valid)) refused.set(each.document, each);
    } catch (error) {
      // The index may have been deleted, so look the aliases up again at the next call.
      this.#cached = undefined;
      throw error;
    }
    if (refused.size > 0) throw new RefusedDocuments([...refused.values()]);
  }

  /**
   * Returns the write alias of each index that this worker must write to. The result is cached for `writeIndexesMs`.
   */
  async #writeAliases(): Promise<string[]> {
    const now = Date.now();
    // `abs`: when the clock is set back, the cache must still expire, or this worker would miss a reindex.
    if (this.#cached && Math.abs(now - this.#cached.at) < this.#writeIndexesMs) return this.#cached.aliases;
    const request = this.#client.indices.getAlias({ name: writesAlias(this.#alias) });
    const { body } = await withDeadline(limits.searchMs.work, request);
    const indexNumbers = Object.keys(body).map((index) => indexNumberOf(this.#alias, index));
    // Newest first, as the swap in OpensearchReindexing requires.
    const newestFirst = indexNumbers.filter((each) => each !== undefined).sort((a, b) => b - a);
    const aliases = newestFirst.map((each) => ownAlias(this.#alias, each));
    if (aliases.length === 0) throw new Error(`OpenSearch has no index for the alias ${writesAlias(this.#alias)}`);
    this.#cached = { aliases, at: now };
    return aliases;
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
      limits.searchMs.search,
    );
    const { total, hits } = body.hits;
    return {
      matches: hits.slice(0, limit).map((hit) => matchOf(hit._source)),
      more: hits.length > limit,
      total: total.value,
      totalIsMinimum: total.relation === 'gte',
    };
  }

  async versions(
    { token, chat }: ChatKey,
    { after, limit }: { after: number; limit: number },
  ): Promise<DocumentVersion[]> {
    const { hits } = await this.#ask(
      {
        size: limit,
        query: { bool: { filter: [{ term: { token } }, { term: { chat } }, { range: { number: { gt: after } } }] } },
        sort: [{ number: 'asc' }],
        version: true,
        _source: ['number'],
        track_total_hits: false,
      },
      token,
      limits.searchMs.work,
    );
    return hits.hits.map(({ _source, _version }) => ({ number: _source.number, version: internalVersion(_version) }));
  }

  async document(key: MessageKey): Promise<SearchDocument | undefined> {
    const request = this.#client.get(
      { index: this.#alias, id: documentId(key), routing: key.token },
      { ignore: [404] },
    );
    const { body } = await withDeadline(limits.searchMs.work, request);
    if (!body.found) return undefined;
    const source = body._source as unknown as Source;
    // The request identifies the document only by its id, so check that its key is the same.
    if (source.token !== key.token || source.chat !== key.chat || source.number !== key.number) return undefined;
    const hasBody = source.body !== undefined;
    return {
      ...key,
      content: hasBody ? contentIn(source) : null,
      revisions: hasBody ? revisionsOf(source, internalVersion(body._version as number)) : noRevisions,
      createdAt: source.created_at,
      updatedAt: source.updated_at,
    };
  }

  async purge({ token, chat }: Parent, limit: number): Promise<number> {
    const filter: Record<string, unknown>[] = [{ term: { token } }];
    if (chat !== undefined) filter.push({ term: { chat } });
    const request = this.#client.deleteByQuery({
      index: writesAlias(this.#alias),
      routing: token,
      max_docs: limit,
      conflicts: 'proceed',
      refresh: true,
      body: { query: { bool: { filter } } },
    });
    const { body } = await withDeadline(limits.searchMs.work, request);
    return Number((body as { deleted?: number }).deleted ?? 0);
  }

  async #ask(query: object, token: string, waitMs: number) {
    const request = this.#client.search({
      index: this.#alias,
      routing: token,
      // A search must fail rather than miss matches while a shard is unavailable.
      allow_partial_search_results: false,
      body: query,
    });
    try {
      const { body } = await withDeadline(waitMs, request);
      return body as unknown as {
        hits: { total: { value: number; relation: 'eq' | 'gte' }; hits: { _source: Source; _version: number }[] };
      };
    } catch (error) {
      throw isOpensearchOutage(error) ? new Unavailable(error) : error;
    }
  }
}

/**
 * Returns the query for a folded text. With at least three code points, a phrase of its consecutive trigrams matches
 * exactly the texts that contain it; a shorter text is a gram itself.
 */
const matching = (folded: string): Record<string, unknown> =>
  [...folded].length >= 3 ? { match_phrase: { folded } } : { term: { 'folded.grams': folded } };

const matchOf = (source: Source): SearchMatch => ({
  chat: source.chat,
  number: source.number,
  content: contentIn(source),
  createdAt: source.created_at,
  updatedAt: source.updated_at,
});
