import { OpensearchIndex } from '../../lib/search/opensearch/opensearch-index.ts';
import { provider } from './provider.ts';
import { searchCluster } from './search-cluster.ts';

/** The search index in the OpenSearch cluster. */
export const searchIndex = provider({
  variables: searchCluster.variables,
  create: async (environment) => new OpensearchIndex(await searchCluster.create(environment)),
});
