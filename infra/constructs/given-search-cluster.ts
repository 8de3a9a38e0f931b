import { Stack } from 'aws-cdk-lib';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { searchCluster } from '../../functions/aws/search-cluster.ts';
import type { Network } from './network.ts';
import { connectToDomain, type SearchAccess, type SearchCluster } from './search-cluster.ts';
import type { ServiceFunction } from './service-function.ts';

interface GivenSearchClusterProps {
  url: string;
  network: Network | undefined;
}

/** A cluster that is there already: a domain of AWS, by its address, or one that lets in whoever reaches it. */
export class GivenSearchCluster extends Construct implements SearchCluster {
  readonly #url: string;
  readonly #domainArn: string | undefined;

  constructor(scope: Construct, id: string, { url, network }: GivenSearchClusterProps) {
    super(scope, id);
    this.#url = url;
    const { hostname, port, protocol } = new URL(url);
    const domain = domainOf(hostname);
    if (domain) this.#domainArn = Stack.of(this).formatArn({ service: 'es', resource: 'domain', resourceName: domain });
    const tcp = Number(port || (protocol === 'https:' ? 443 : 80));
    network?.functions.addEgressRule(Peer.anyIpv4(), Port.tcp(tcp), 'The given search cluster');
  }

  connect(fn: ServiceFunction, access: SearchAccess): void {
    if (this.#domainArn) connectToDomain(fn, access, { arn: this.#domainArn, url: this.#url });
    else fn.setVariables<typeof searchCluster>({ OPENSEARCH_URL: this.#url });
  }
}

/** The domain that AWS gave the address: `vpc-<name>-<letters of its own>.<region>.es.amazonaws.com`, or `search-…`. */
const domainOf = (hostname: string): string | undefined =>
  /^(?:vpc|search)-(.+)-[^-.]+\.[^.]+\.es\.amazonaws\.com$/.exec(hostname)?.[1];
