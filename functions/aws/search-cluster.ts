import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws-v3';
import * as z from 'zod/mini';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { provider } from './provider.ts';

/**
 * The OpenSearch cluster OPENSEARCH_URL. With OPENSEARCH_SIGNING=aws, each request is signed with the function's role,
 * by which a domain of Amazon OpenSearch Service authenticates the function.
 */
export const searchCluster = provider({
  variables: {
    OPENSEARCH_URL: z.url(),
    OPENSEARCH_SIGNING: z.optional(z.enum(['aws'])),
    /** The region for signing. Lambda sets this variable. */
    AWS_REGION: z.optional(z.string()),
  },
  create: ({ OPENSEARCH_URL, OPENSEARCH_SIGNING, AWS_REGION = '' }) =>
    openOpensearch(OPENSEARCH_URL, OPENSEARCH_SIGNING && AwsSigv4Signer({ region: AWS_REGION, service: 'es' })),
});
