import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { searchCluster } from '../../functions/aws/search-cluster.ts';
import { indexName, messagesAlias, writesAlias } from '../../lib/search/opensearch/names.ts';
import type { ServiceFunction } from './service-function.ts';

/** What a function asks of the cluster. */
export type SearchAccess = 'search' | 'index' | 'purge' | 'migrate';

/** The OpenSearch cluster that the search index is in. */
export interface SearchCluster extends Construct {
  connect(fn: ServiceFunction, access: SearchAccess): void;
}

interface Requests {
  methods: string[];
  path: string;
}

const alias = messagesAlias;
const writes = writesAlias(alias);

/**
 * The requests behind each access, by the methods that the client uses (held to it by test/aws/permissions.test.ts). Making
 * the index asks for several, and only while deploying.
 */
export const searchRequests: Record<SearchAccess, Requests[]> = {
  search: [{ methods: ['Post'], path: `${alias}/_search` }],
  index: [
    { methods: ['Get'], path: `_alias/${writes}` },
    // The number of an index, which grows by one when the messages are indexed anew; `*` would be any path.
    ...['?', '??', '???'].map((number) => ({ methods: ['Put'], path: `${writes}-${number}/_bulk` })),
  ],
  purge: [{ methods: ['Post'], path: `${writes}/_delete_by_query` }],
  migrate: [
    { methods: ['Head', 'Get'], path: `_alias/${alias}` },
    { methods: ['Head'], path: `_alias/${writes}` },
    { methods: ['Post'], path: `_index_template/${alias}` },
    { methods: ['Put'], path: indexName(alias, 1) },
    { methods: ['Post'], path: '_aliases' },
    { methods: ['Get'], path: `${alias}/_mapping` },
  ],
};

/** A domain of Amazon OpenSearch Service, which knows functions by their roles: each signs its requests. */
export function connectToDomain(fn: ServiceFunction, access: SearchAccess, domain: { arn: string; url: string }): void {
  for (const { methods, path } of searchRequests[access])
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: methods.map((method) => `es:ESHttp${method}`),
        resources: [`${domain.arn}/${path}`],
      }),
    );
  fn.setVariables<typeof searchCluster>({ OPENSEARCH_URL: domain.url, OPENSEARCH_SIGNING: 'aws' });
}
