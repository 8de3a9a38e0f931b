import * as z from 'zod';
import { OpensearchIndex } from '../../lib/search/opensearch.ts';
import { openOpensearch } from '../../lib/search/opensearch-client.ts';
import { provider } from './provider.ts';

/** The search index in the OpenSearch cluster OPENSEARCH_URL. */
export const searchIndex = provider({
  variables: { OPENSEARCH_URL: z.url() },
  create: ({ OPENSEARCH_URL }) => new OpensearchIndex(openOpensearch(OPENSEARCH_URL)),
});
