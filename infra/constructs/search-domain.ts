import { Stack } from 'aws-cdk-lib';
import { EbsDeviceVolumeType, Port } from 'aws-cdk-lib/aws-ec2';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { type CfnDomain, Domain, EngineVersion, TLSSecurityPolicy } from 'aws-cdk-lib/aws-opensearchservice';
import { Construct } from 'constructs';
import { messagesAlias } from '../../lib/search/opensearch/names.ts';
import { engineVersions, type SearchDomainSize } from '../config.ts';
import { closedGroup, type Network } from './network.ts';
import { removalOf } from './removal.ts';
import { allowRequests, connectToDomain, type SearchAccess, type SearchCluster } from './search-cluster.ts';
import type { ServiceFunction } from './service-function.ts';
import { suppress } from './suppress.ts';

interface SearchDomainProps {
  size: SearchDomainSize;
  network: Network;
  keepData: boolean;
}

/** A created domain of Amazon OpenSearch Service, in the private network. */
export class SearchDomain extends Construct implements SearchCluster {
  readonly domain: Domain;

  constructor(scope: Construct, id: string, { size, network, keepData }: SearchDomainProps) {
    super(scope, id);
    const { instanceType, nodes, diskGb } = size;
    const group = closedGroup(this, 'Group', network.vpc, 'OpenSearch of chat-system');
    group.connections.allowFrom(network.functions, Port.HTTPS);
    this.domain = new Domain(this, 'Domain', {
      version: EngineVersion.openSearch(engineVersions.opensearch),
      vpc: network.vpc,
      vpcSubnets: [{ subnets: network.subnets.slice(0, nodes) }],
      securityGroups: [group],
      zoneAwareness: { enabled: nodes > 1, ...(nodes > 1 && { availabilityZoneCount: nodes }) },
      capacity: { dataNodes: nodes, dataNodeInstanceType: instanceType, multiAzWithStandbyEnabled: false },
      ebs: { volumeSize: diskGb, volumeType: EbsDeviceVolumeType.GP3 },
      enforceHttps: true,
      tlsSecurityPolicy: TLSSecurityPolicy.TLS_1_2_PFS,
      nodeToNodeEncryption: true,
      encryptionAtRest: { enabled: true },
      removalPolicy: removalOf(keepData),
    });
    suppress(this.domain, {
      'AwsSolutions-OS3':
        'The domain has no public address: its security group admits only the functions, which sign their requests.',
      'AwsSolutions-OS4':
        'Three data nodes can elect a master themselves; dedicated master nodes pay off in clusters of about ten nodes.',
      'AwsSolutions-OS5':
        'Without an access policy, a domain accepts only requests that a role of the account has signed.',
      ...Object.fromEntries(
        ['SEARCH', 'INDEX'].map((which) => [
          `AwsSolutions-OS9[LogExport::${which}_SLOW_LOGS]`,
          'Slow logs contain requests with the texts of messages, which must not be logged.',
        ]),
      ),
      ...(nodes === 1 && {
        'AwsSolutions-OS7': 'The stage is for experiments, and the index can be rebuilt from SQL.',
      }),
    });
  }

  connect(fn: ServiceFunction, access: SearchAccess): void {
    const { domainArn: arn, domainEndpoint } = this.domain;
    connectToDomain(fn, access, { arn, url: `https://${domainEndpoint}` });
  }

  allowOperations(operator: ManagedPolicy): void {
    allowRequests(operator, 'operate', this.domain.domainArn);
    const arn = `<${Stack.of(this).getLogicalId(this.domain.node.defaultChild as CfnDomain)}.Arn>`;
    suppress(operator, {
      [`AwsSolutions-IAM5[Resource::${arn}/${messagesAlias}/_doc/*]`]: 'The wildcard stands for the id of a document.',
      [`AwsSolutions-IAM5[Resource::${arn}/${messagesAlias}-*]`]:
        'The request names all indexes of messages with a wildcard.',
    });
  }
}
