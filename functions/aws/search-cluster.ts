import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws-v3';
import * as z from 'zod/mini';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { provider } from './provider.ts';

/**
 * The OpenSearch cluster OPENSEARCH_URL. With OPENSEARCH_SIGNING=aws each request is signed as the function's role, which
 * is how a domain of Amazon OpenSearch Service knows who asks.
 */
export const searchCluster = provider({
  variables: {
    OPENSEARCH_URL: z.url(),
    OPENSEARCH_SIGNING: z.optional(z.enum(['aws'])),
    /** Lambda sets it; only signing needs it. */
    AWS_REGION: z.optional(z.string()),
  },
  create: ({ OPENSEARCH_URL, OPENSEARCH_SIGNING, AWS_REGION = '' }) =>
    openOpensearch(OPENSEARCH_URL, OPENSEARCH_SIGNING && AwsSigv4Signer({ region: AWS_REGION, service: 'es' })),
});
