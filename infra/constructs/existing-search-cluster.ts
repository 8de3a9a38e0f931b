import { Stack } from 'aws-cdk-lib';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { searchCluster } from '../../functions/aws/search-cluster.ts';
import { domainOf } from '../domain-address.ts';
import type { Network } from './network.ts';
import { allowRequests, connectToDomain, type SearchAccess, type SearchCluster } from './search-cluster.ts';
import type { ServiceFunction } from './service-function.ts';

interface ExistingSearchClusterProps {
  url: string;
  /** The ARN of the domain, if the URL does not name the domain. */
  domainArn: string | undefined;
  network: Network | undefined;
}

/**
 * An existing OpenSearch cluster. Functions sign their requests if the cluster is a domain of AWS, which is known from
 * `domainArn` or from the URL. Any other cluster must accept requests without authentication.
 */
export class ExistingSearchCluster extends Construct implements SearchCluster {
  readonly #url: string;
  readonly #domainArn: string | undefined;

  constructor(scope: Construct, id: string, { url, domainArn, network }: ExistingSearchClusterProps) {
    super(scope, id);
    this.#url = url;
    const { port, protocol } = new URL(url);
    const domain = domainOf(url);
    this.#domainArn =
      domainArn ?? (domain && Stack.of(this).formatArn({ service: 'es', resource: 'domain', resourceName: domain }));
    const tcp = Number(port || (protocol === 'https:' ? 443 : 80));
    network?.functions.addEgressRule(Peer.anyIpv4(), Port.tcp(tcp), 'The given search cluster');
  }

  connect(fn: ServiceFunction, access: SearchAccess): void {
    if (this.#domainArn) connectToDomain(fn, access, { arn: this.#domainArn, url: this.#url });
    else fn.setVariables<typeof searchCluster>({ OPENSEARCH_URL: this.#url });
  }

  allowOperations(operator: ManagedPolicy): void {
    if (this.#domainArn) allowRequests(operator, 'operate', this.#domainArn);
  }
}
