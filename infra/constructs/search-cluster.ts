import { type IGrantable, type ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { searchCluster } from '../../functions/aws/search-cluster.ts';
import { indexName, messagesAlias, writesAlias } from '../../lib/search/opensearch/names.ts';
import type { ServiceFunction } from './service-function.ts';

/** What a function, or an operator with script/ops, uses the cluster for. */
export type SearchAccess = 'search' | 'index' | 'purge' | 'migrate' | 'operate';

/** The OpenSearch cluster of the search index. */
export interface SearchCluster extends Construct {
  /** Lets the function make the requests of this access. */
  connect(fn: ServiceFunction, access: SearchAccess): void;
  /** Lets an operator make the requests of script/ops. */
  allowOperations(operator: ManagedPolicy): void;
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
 * Patterns for the number of an index, which each reindex increments. A `*` would also match slashes, and so any path.
 */
const anyNumber = ['?', '??', '???'];
const anyIndex = (methods: string[], suffix = ''): Requests[] =>
  anyNumber.map((number) => ({ methods, path: `${alias}-${number}${suffix}` }));

const indexing: Requests[] = [
  { methods: ['Get'], path: `_alias/${writes}` },
  ...anyNumber.map((number) => ({ methods: ['Put'], path: `${writes}-${number}/_bulk` })),
];

/**
 * The requests that each kind of access makes, with the methods that the client library uses.
 * test/aws/permissions.test.ts checks the list against real requests.
 */
export const searchRequests: Record<SearchAccess, Requests[]> = {
  search: [{ methods: ['Post'], path: `${alias}/_search` }],
  index: indexing,
  purge: [{ methods: ['Post'], path: `${writes}/_delete_by_query` }],
  migrate: [
    { methods: ['Head', 'Get'], path: `_alias/${alias}` },
    { methods: ['Head'], path: `_alias/${writes}` },
    { methods: ['Post'], path: `_index_template/${alias}` },
    { methods: ['Put'], path: indexName(alias, 1) },
    { methods: ['Post'], path: '_aliases' },
    { methods: ['Get'], path: `${alias}/_mapping` },
    ...anyIndex(['Post'], '/_mapping'),
  ],
  operate: [
    // Reconcile compares versions, reads documents, and indexes what is missing.
    { methods: ['Post'], path: `${alias}/_search` },
    { methods: ['Get'], path: `${alias}/_doc/*` },
    ...indexing,
    // Reindex finds the indexes, builds a new one, switches searches to it, and deletes the old one. The path of the
    // first request ends with a literal `*`. In a policy, `*` is a pattern, so this entry allows every GET request to
    // the indexes of messages, `_refresh` among them.
    { methods: ['Get'], path: `${alias}-*` },
    { methods: ['Get'], path: `${alias}/_count` },
    { methods: ['Post'], path: `_index_template/${alias}` },
    ...anyIndex(['Put', 'Delete']),
    ...anyIndex(['Post'], '/_mapping'),
    ...anyIndex(['Put'], '/_settings'),
    { methods: ['Post'], path: '_aliases' },
  ],
};

/** Lets the function or operator make the requests of this access to a domain of Amazon OpenSearch Service. */
export function allowRequests({ grantPrincipal }: IGrantable, access: SearchAccess, domainArn: string): void {
  for (const { methods, path } of searchRequests[access])
    grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: methods.map((method) => `es:ESHttp${method}`),
        resources: [`${domainArn}/${path}`],
      }),
    );
}

/** Lets the function make signed requests to a domain of Amazon OpenSearch Service, which authorizes them by role. */
export function connectToDomain(fn: ServiceFunction, access: SearchAccess, domain: { arn: string; url: string }): void {
  allowRequests(fn, access, domain.arn);
  fn.setVariables<typeof searchCluster>({ OPENSEARCH_URL: domain.url, OPENSEARCH_SIGNING: 'aws' });
}
