import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { searchCluster } from '../../functions/aws/search-cluster.ts';
import { indexName, messagesAlias, writesAlias } from '../../lib/search/opensearch/names.ts';
import type { ServiceFunction } from './service-function.ts';

/** What a function uses the cluster for. */
export type SearchAccess = 'search' | 'index' | 'purge' | 'migrate';

/** The OpenSearch cluster of the search index. */
export interface SearchCluster extends Construct {
  /** Lets the function make the requests of this access. */
  connect(fn: ServiceFunction, access: SearchAccess): void;
}

interface Requests {
  /** The HTTP methods as they appear in the names of IAM actions. */
  methods: string[];
  /** The path, where `?` stands for any one character. */
  path: string;
}

const alias = messagesAlias;
const writes = writesAlias(alias);

/**
 * The requests that each kind of access makes, with the methods that the client library uses.
 * test/aws/permissions.test.ts checks the list against real requests.
 */
export const searchRequests: Record<SearchAccess, Requests[]> = {
  search: [{ methods: ['Post'], path: `${alias}/_search` }],
  index: [
    { methods: ['Get'], path: `_alias/${writes}` },
    // The number of the index, which each reindex increments. A `*` would also match slashes, and so any path.
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

/** Lets the function make signed requests to a domain of Amazon OpenSearch Service, which authorizes them by role. */
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
