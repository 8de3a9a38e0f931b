import { RemovalPolicy } from 'aws-cdk-lib';
import { EbsDeviceVolumeType, Port } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Domain, EngineVersion, TLSSecurityPolicy } from 'aws-cdk-lib/aws-opensearchservice';
import { Construct } from 'constructs';
import type { searchCluster } from '../../functions/aws/search-cluster.ts';
import { messagesAlias, writesAlias } from '../../lib/search/opensearch-names.ts';
import type { GivenServers } from '../config.ts';
import type { Network } from './network.ts';
import type { ServiceFunction } from './service-function.ts';

/** What a function asks of the cluster. */
export type SearchAccess = 'search' | 'index' | 'purge' | 'migrate';

/** The OpenSearch cluster that the search index is in. */
export interface SearchCluster {
  connect(fn: ServiceFunction, access: SearchAccess): void;
}

/** A cluster that is there already and lets our functions in. */
export class GivenSearchCluster extends Construct implements SearchCluster {
  readonly #url: string;

  constructor(scope: Construct, id: string, { opensearchUrl }: Pick<GivenServers, 'opensearchUrl'>) {
    super(scope, id);
    this.#url = opensearchUrl;
  }

  connect(fn: ServiceFunction): void {
    fn.setVariables<typeof searchCluster>({ OPENSEARCH_URL: this.#url });
  }
}

interface Requests {
  methods: string[];
  path: string;
}

/** The requests behind each access; making the index asks for several, and only while deploying. */
const requests: Record<SearchAccess, Requests[]> = {
  search: [{ methods: ['Post'], path: `${messagesAlias}/_search` }],
  index: [
    { methods: ['Get'], path: `_alias/${writesAlias(messagesAlias)}` },
    { methods: ['Post'], path: `${writesAlias(messagesAlias)}-*/_bulk` },
  ],
  purge: [{ methods: ['Post'], path: `${writesAlias(messagesAlias)}/_delete_by_query` }],
  migrate: [{ methods: ['Get', 'Head', 'Put', 'Post'], path: '*' }],
};

/** A domain of our own, in the private network; it knows functions by their roles. */
export class CreatedSearchCluster extends Construct implements SearchCluster {
  readonly #domain: Domain;

  constructor(scope: Construct, id: string, { network, keepData }: { network: Network; keepData: boolean }) {
    super(scope, id);
    const dataNodes = keepData ? 2 : 1;
    this.#domain = new Domain(this, 'Domain', {
      version: EngineVersion.OPENSEARCH_3_3,
      vpc: network.vpc,
      vpcSubnets: [{ subnets: network.vpc.isolatedSubnets.slice(0, dataNodes) }],
      zoneAwareness: { enabled: dataNodes > 1, ...(dataNodes > 1 && { availabilityZoneCount: dataNodes }) },
      capacity: { dataNodes, dataNodeInstanceType: 'm7g.large.search', multiAzWithStandbyEnabled: false },
      ebs: { volumeSize: 100, volumeType: EbsDeviceVolumeType.GP3 },
      enforceHttps: true,
      tlsSecurityPolicy: TLSSecurityPolicy.TLS_1_2_PFS,
      nodeToNodeEncryption: true,
      encryptionAtRest: { enabled: true },
      removalPolicy: keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    for (const group of network.placement.securityGroups) this.#domain.connections.allowFrom(group, Port.HTTPS);
  }

  connect(fn: ServiceFunction, access: SearchAccess): void {
    for (const { methods, path } of requests[access])
      fn.addToRolePolicy(
        new PolicyStatement({
          actions: methods.map((method) => `es:ESHttp${method}`),
          resources: [`${this.#domain.domainArn}/${path}`],
        }),
      );
    fn.setVariables<typeof searchCluster>({
      OPENSEARCH_URL: `https://${this.#domain.domainEndpoint}`,
      OPENSEARCH_SIGNING: 'aws',
    });
  }
}
