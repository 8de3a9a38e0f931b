import type { Types } from '@opensearch-project/opensearch';
import { forEachMember } from '../../model/content.ts';
import { revisionFields } from '../search-index.ts';
import { foldVersion } from '../text/fold-table.ts';

/** The fields that are returned with a match, and not searched: each member, and its revision where that is a field. */
const contentFields = {
  ...forEachMember(() => ({ type: 'keyword', index: false, doc_values: false }) as const),
  ...Object.fromEntries(revisionFields.map((field) => [field, { type: 'long', index: false } as const])),
};

/**
 * The index: text is folded before it comes, so that no analyzer has a say in case, and every character counts, white
 * space and punctuation too (a tokenizer without `token_chars` keeps all).
 */
export const opensearchIndex = {
  settings: {
    // Newest first, as matches are wanted: a search for something common stops when it has counted enough, instead of
    // meeting a better match in every document. Among 1,000,000 messages `e` takes 3 ms so, and took 330 ms without. In one
    // chat, where matches are wanted by number, this order is near enough for OpenSearch to leave out the rest.
    index: { sort: { field: ['created_at'], order: ['desc'] } },
    analysis: {
      tokenizer: {
        trigrams: { type: 'ngram', min_gram: 3, max_gram: 3, token_chars: [] },
        grams: { type: 'ngram', min_gram: 1, max_gram: 2, token_chars: [] },
      },
      analyzer: {
        trigrams: { type: 'custom', tokenizer: 'trigrams' },
        grams: { type: 'custom', tokenizer: 'grams' },
      },
    },
  },
  mappings: {
    dynamic: 'strict',
    _meta: { fold_version: foldVersion },
    _source: { excludes: ['folded'] },
    _routing: { required: true },
    properties: {
      token: { type: 'keyword' },
      chat: { type: 'long' },
      number: { type: 'long' },
      created_at: { type: 'long' },
      updated_at: { type: 'long', index: false },
      ...contentFields,
      folded: {
        type: 'text',
        analyzer: 'trigrams',
        norms: false,
        fields: { grams: { type: 'text', analyzer: 'grams', index_options: 'docs', norms: false } },
      },
    },
  },
} satisfies Types.Indices_PutIndexTemplate.IndexTemplateMapping;
