import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ExistingMysql } from '../flags.ts';
import {
  connectToMysql,
  type Database,
  type DatabaseUse,
  type MysqlAccess,
  secretFor,
  type UserSecret,
} from './database.ts';
import type { Network } from './network.ts';
import { allowReading } from './secret-access.ts';
import type { ServiceFunction } from './service-function.ts';

interface ExistingDatabaseProps {
  mysql: ExistingMysql;
  network: Network | undefined;
}

/** An existing MySQL database. */
export class ExistingDatabase extends Construct implements Database {
  readonly secrets: ISecret[];
  readonly #access: MysqlAccess;

  constructor(scope: Construct, id: string, { mysql, network }: ExistingDatabaseProps) {
    super(scope, id);
    const { url, secretName, userSecretNames } = mysql;
    const named = (constructId: string, name: string): UserSecret => ({
      secret: Secret.fromSecretNameV2(this, constructId, name),
      id: name,
    });
    const owner = named('Secret', secretName);
    const users = userSecretNames && {
      reads: named('ReaderSecret', userSecretNames.reads),
      work: named('WorkerSecret', userSecretNames.work),
    };
    this.#access = { url, owner, users };
    this.secrets = [owner, ...Object.values(users ?? {})].map(({ secret }) => secret);
    network?.functions.addEgressRule(Peer.anyIpv4(), Port.tcp(Number(new URL(url).port || 3306)), 'The given database');
  }

  connect(fn: ServiceFunction, use: DatabaseUse): void {
    connectToMysql(fn, use, this.#access);
  }

  allowOperations(operator: ManagedPolicy): void {
    allowReading(operator, secretFor('work', this.#access).secret);
  }
}
