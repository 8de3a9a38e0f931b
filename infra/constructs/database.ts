import { RemovalPolicy } from 'aws-cdk-lib';
import { InstanceClass, InstanceSize, InstanceType } from 'aws-cdk-lib/aws-ec2';
import {
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  MysqlEngineVersion,
  ParameterGroup,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { database } from '../../functions/aws/database.ts';
import type { GivenServers } from '../config.ts';
import type { Network } from './network.ts';
import type { ServiceFunction, VariablesOf } from './service-function.ts';

/** What a function does with the database, which says how long it waits for it. */
export type DatabaseUse = NonNullable<VariablesOf<typeof database>['MYSQL_USE']>;

/** The SQL database that the store is in. */
export interface Database {
  /** The function gets there, with the rights of the one user there is. */
  connect(fn: ServiceFunction, use: DatabaseUse): void;
}

/** A database that is there already. */
export class GivenDatabase extends Construct implements Database {
  readonly #url: string;
  readonly #secret: ISecret;

  constructor(scope: Construct, id: string, { mysqlUrl, mysqlSecret }: Pick<GivenServers, 'mysqlUrl' | 'mysqlSecret'>) {
    super(scope, id);
    this.#url = mysqlUrl;
    this.#secret = Secret.fromSecretNameV2(this, 'Secret', mysqlSecret);
  }

  connect(fn: ServiceFunction, use: DatabaseUse): void {
    this.#secret.grantRead(fn);
    fn.setVariables<typeof database>({ MYSQL_URL: this.#url, MYSQL_SECRET: this.#secret.secretName, MYSQL_USE: use });
  }
}

const user = 'chat';
const schema = 'chat';

/** A database of our own, in the private network. */
export class CreatedDatabase extends Construct implements Database {
  readonly #instance: DatabaseInstance;
  readonly #secret: ISecret;

  constructor(scope: Construct, id: string, { network, keepData }: { network: Network; keepData: boolean }) {
    super(scope, id);
    const engine = DatabaseInstanceEngine.mysql({ version: MysqlEngineVersion.VER_8_4_8 });
    this.#instance = new DatabaseInstance(this, 'Instance', {
      engine,
      vpc: network.vpc,
      vpcSubnets: network.placement.vpcSubnets,
      // Two processors and 4 GB: what holds the keys of some ten million messages in memory.
      instanceType: InstanceType.of(InstanceClass.T4G, InstanceSize.MEDIUM),
      allocatedStorage: 20,
      maxAllocatedStorage: 1_000,
      storageType: StorageType.GP3,
      storageEncrypted: true,
      multiAz: keepData,
      databaseName: schema,
      credentials: Credentials.fromGeneratedSecret(user),
      parameterGroup: new ParameterGroup(this, 'Parameters', {
        engine,
        parameters: { require_secure_transport: 'ON' },
      }),
      deletionProtection: keepData,
      removalPolicy: keepData ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
    });
    for (const group of network.placement.securityGroups) this.#instance.connections.allowDefaultPortFrom(group);
    this.#secret = this.#instance.secret as ISecret;
  }

  connect(fn: ServiceFunction, use: DatabaseUse): void {
    this.#secret.grantRead(fn);
    const { dbInstanceEndpointAddress: host, dbInstanceEndpointPort: port } = this.#instance;
    fn.setVariables<typeof database>({
      // `ssl` names mysql2's list of the authorities that sign RDS's certificates.
      MYSQL_URL: `mysql://${user}@${host}:${port}/${schema}?ssl=Amazon%20RDS`,
      MYSQL_SECRET: this.#secret.secretArn,
      MYSQL_USE: use,
    });
  }
}
