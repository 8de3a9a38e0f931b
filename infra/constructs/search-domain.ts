import { EbsDeviceVolumeType, Port } from 'aws-cdk-lib/aws-ec2';
import { Domain, EngineVersion, TLSSecurityPolicy } from 'aws-cdk-lib/aws-opensearchservice';
import { Construct } from 'constructs';
import type { SearchDomainSize } from '../config.ts';
import { closedGroup, type Network } from './network.ts';
import { removalOf } from './removal.ts';
import { connectToDomain, type SearchAccess, type SearchCluster } from './search-cluster.ts';
import type { ServiceFunction } from './service-function.ts';
import { accept } from './suppress.ts';

interface SearchDomainProps {
  size: SearchDomainSize;
  network: Network;
  keepData: boolean;
}

/** A domain of our own, in the private network. */
export class SearchDomain extends Construct implements SearchCluster {
  readonly domain: Domain;

  constructor(scope: Construct, id: string, { size, network, keepData }: SearchDomainProps) {
    super(scope, id);
    const { instanceType, nodes, diskGb } = size;
    const group = closedGroup(this, 'Group', network.vpc, 'OpenSearch of chat-system');
    group.connections.allowFrom(network.functions, Port.HTTPS);
    this.domain = new Domain(this, 'Domain', {
      version: EngineVersion.OPENSEARCH_3_3,
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
    accept(this.domain, {
      'AwsSolutions-OS3':
        'It has no public address: the security group lets the functions in, and a request is signed by a role that may make it.',
      'AwsSolutions-OS4': 'Three nodes elect among themselves; nodes that only do that pay off in clusters of ten.',
      'AwsSolutions-OS5':
        'Without a policy of its own, a domain answers only requests that are signed by a role of the account.',
      ...Object.fromEntries(
        ['SEARCH', 'INDEX'].map((which) => [
          `AwsSolutions-OS9[LogExport::${which}_SLOW_LOGS]`,
          'Slow logs hold the requests, and these the texts of messages, which are logged nowhere.',
        ]),
      ),
      ...(nodes === 1 && { 'AwsSolutions-OS7': 'To try things: the index can be built anew from SQL.' }),
    });
  }

  connect(fn: ServiceFunction, access: SearchAccess): void {
    const { domainArn: arn, domainEndpoint } = this.domain;
    connectToDomain(fn, access, { arn, url: `https://${domainEndpoint}` });
  }
}
