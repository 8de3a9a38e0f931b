import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { GivenMysql } from '../flags.ts';
import { connectToMysql, type Database, type DatabaseUse } from './database.ts';
import type { Network } from './network.ts';
import type { ServiceFunction } from './service-function.ts';

interface GivenDatabaseProps {
  mysql: GivenMysql;
  network: Network | undefined;
}

/** A database that is there already. */
export class GivenDatabase extends Construct implements Database {
  readonly secret: ISecret;
  readonly #url: string;

  constructor(scope: Construct, id: string, { mysql: { url, secretName }, network }: GivenDatabaseProps) {
    super(scope, id);
    this.#url = url;
    this.secret = Secret.fromSecretNameV2(this, 'Secret', secretName);
    network?.functions.addEgressRule(Peer.anyIpv4(), Port.tcp(Number(new URL(url).port || 3306)), 'The given database');
  }

  connect(fn: ServiceFunction, use: DatabaseUse): void {
    connectToMysql(fn, use, { url: this.#url, secret: this.secret, secretId: this.secret.secretName });
  }
}
