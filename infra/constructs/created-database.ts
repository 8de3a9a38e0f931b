import { Duration } from 'aws-cdk-lib';
import { InstanceType, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { DatabaseProxy } from 'aws-cdk-lib/aws-rds';
import {
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  MysqlEngineVersion,
  ParameterGroup,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { DatabaseSize } from '../config.ts';
import { accept } from './accept.ts';
import { connectToMysql, type Database, type DatabaseUse } from './database.ts';
import { addProxy } from './database-proxy.ts';
import type { Network } from './network.ts';
import { removalOf } from './removal.ts';
import type { ServiceFunction } from './service-function.ts';

const user = 'chat';
const schema = 'chat';
/** MySQL's own. */
const port = 3306;

interface CreatedDatabaseProps {
  size: DatabaseSize;
  network: Network;
  keepData: boolean;
}

/** A database of our own, in the private network, and the proxy through which functions reach it. */
export class CreatedDatabase extends Construct implements Database {
  readonly instance: DatabaseInstance;
  readonly proxy: DatabaseProxy;
  readonly secret: ISecret;

  constructor(scope: Construct, id: string, { size, network, keepData }: CreatedDatabaseProps) {
    super(scope, id);
    const engine = DatabaseInstanceEngine.mysql({ version: MysqlEngineVersion.VER_8_4_8 });
    this.instance = new DatabaseInstance(this, 'Instance', {
      engine,
      vpc: network.vpc,
      vpcSubnets: { subnets: network.subnets },
      securityGroups: [
        new SecurityGroup(this, 'Group', {
          vpc: network.vpc,
          description: 'MySQL of chat-system',
          allowAllOutbound: false,
        }),
      ],
      instanceType: new InstanceType(size.instanceType),
      allocatedStorage: 20,
      maxAllocatedStorage: 1_000,
      storageType: StorageType.GP3,
      storageEncrypted: true,
      multiAz: size.multiAz,
      databaseName: schema,
      credentials: Credentials.fromUsername(user),
      // RDS makes the password, keeps it in Secrets Manager, and makes another every seven days, by itself.
      manageMasterUserPassword: true,
      parameterGroup: new ParameterGroup(this, 'Parameters', {
        engine,
        parameters: { require_secure_transport: 'ON' },
      }),
      backupRetention: Duration.days(size.backupDays),
      deleteAutomatedBackups: !keepData,
      copyTagsToSnapshot: true,
      // What the server says of itself; the log of slow queries would hold the texts of messages.
      cloudwatchLogsExports: ['error'],
      deletionProtection: keepData,
      removalPolicy: removalOf(keepData),
    });
    accept(this.instance, {
      'AwsSolutions-RDS11': 'The port hides nothing in a network where only the proxy is let in.',
      ...(!size.multiAz && { 'AwsSolutions-RDS3': 'To try things: minutes without SQL are a small loss.' }),
      ...(!keepData && { 'AwsSolutions-RDS10': 'To try things: it goes with its stack.' }),
    });
    this.secret = this.instance.secret as ISecret;
    this.proxy = addProxy(this, 'Proxy', { instance: this.instance, secret: this.secret, network, port });
  }

  connect(fn: ServiceFunction, use: DatabaseUse): void {
    // The proxy's certificate is one of Amazon's public authorities, which Node.js trusts; so its name is what tells it
    // from any other server that has one.
    const ssl = encodeURIComponent(JSON.stringify({ verifyIdentity: true }));
    const url = `mysql://${user}@${this.proxy.endpoint}:${port}/${schema}?ssl=${ssl}`;
    connectToMysql(fn, use, { url, secret: this.secret, secretId: this.secret.secretArn });
  }
}
