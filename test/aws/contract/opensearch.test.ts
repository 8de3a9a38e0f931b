import { randomUUID } from 'node:crypto';
import { openOpensearch } from '../../../lib/search/opensearch/client.ts';
import { migrateOpensearch } from '../../../lib/search/opensearch/migration.ts';
import { OpensearchIndex } from '../../../lib/search/opensearch/opensearch-index.ts';
import { searchIndexContract } from '../../contract/suites/search-index.ts';
import { awsServices } from '../../support/servers/aws-services.ts';

searchIndexContract('OpenSearch', async () => {
  const client = openOpensearch(awsServices.opensearchUrl);
  const alias = `test-${randomUUID()}`;
  await migrateOpensearch(client, alias);
  return {
    index: new OpensearchIndex(client, alias),
    refreshed: async () => {
      await client.indices.refresh({ index: alias });
    },
    close: async () => {
      await client.indices.delete({ index: `${alias}-1` });
      await client.indices.deleteIndexTemplate({ name: alias });
      await client.close();
    },
  };
});
