import { Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import {
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  type DatabaseProxy,
  MysqlEngineVersion,
  ParameterGroup,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { DatabaseSize } from '../config.ts';
import { connectToMysql, type Database, type DatabaseUse, type UserSecret } from './database.ts';
import { addProxy } from './database-proxy.ts';
import { closedGroup, type Network } from './network.ts';
import { removalOf } from './removal.ts';
import type { ServiceFunction } from './service-function.ts';
import { accept } from './suppress.ts';

/** The master user of the server, as whom migrations work. */
const owner = 'chat';
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
  readonly secrets: ISecret[];
  readonly #owner: UserSecret;
  readonly #users: { reads: UserSecret; work: UserSecret };

  constructor(scope: Construct, id: string, { size, network, keepData }: CreatedDatabaseProps) {
    super(scope, id);
    // No minor version: RDS takes its default one for a new instance and upgrades it in the maintenance window. A pinned
    // minor version makes a deployment fail once RDS has upgraded past it (a downgrade is refused), and a new instance
    // fail once RDS has withdrawn it, about a year after its release.
    const engine = DatabaseInstanceEngine.mysql({ version: MysqlEngineVersion.of('8.4', '8.4') });
    this.instance = new DatabaseInstance(this, 'Instance', {
      engine,
      vpc: network.vpc,
      vpcSubnets: { subnets: network.subnets },
      securityGroups: [closedGroup(this, 'Group', network.vpc, 'MySQL of chat-system')],
      instanceType: new InstanceType(size.instanceType),
      allocatedStorage: 20,
      maxAllocatedStorage: 1_000,
      storageType: StorageType.GP3,
      storageEncrypted: true,
      autoMinorVersionUpgrade: true,
      multiAz: size.multiAz,
      databaseName: schema,
      credentials: Credentials.fromUsername(owner),
      // RDS makes the master's password, keeps it in Secrets Manager, and makes another every seven days, by itself.
      manageMasterUserPassword: true,
      parameterGroup: new ParameterGroup(this, 'Parameters', {
        engine,
        // RDS for MySQL lists 0 and 1 as the allowed values, and refuses what it does not list.
        parameters: { require_secure_transport: '1' },
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
      'CloudFormation-Validate::E9006':
        'Its list has full versions alone; RDS takes a major version, too, and chooses the minor one.',
      'AwsSolutions-RDS11': 'The port hides nothing in a network where only the proxy is let in.',
      ...(!size.multiAz && { 'AwsSolutions-RDS3': 'To try things: minutes without SQL are a small loss.' }),
      ...(!keepData && { 'AwsSolutions-RDS10': 'To try things: it goes with its stack.' }),
    });
    const withArn = (secret: ISecret): UserSecret => ({ secret, id: secret.secretArn });
    const userSecret = (id: string, user: string, purpose: string): UserSecret => {
      const secret = new Secret(this, id, {
        description: `chat-system: the SQL user of ${purpose}`,
        generateSecretString: {
          secretStringTemplate: JSON.stringify({ username: user }),
          generateStringKey: 'password',
          // 43 letters and digits hold 256 bits.
          passwordLength: 43,
          excludePunctuation: true,
        },
        removalPolicy: removalOf(keepData),
      });
      accept(secret, {
        'AwsSolutions-SMG4':
          'Nobody types this password, and it opens nothing from outside of the network; docs/security.md says how to change it.',
      });
      // CDK's own types don't agree under exactOptionalPropertyTypes.
      return withArn(secret as ISecret);
    };
    this.#owner = withArn(this.instance.secret as ISecret);
    this.#users = {
      reads: userSecret('ReaderSecret', 'chat_reader', 'the routes that read'),
      work: userSecret('WorkerSecret', 'chat_worker', 'workers, schedules and script/ops'),
    };
    this.secrets = [this.#owner, this.#users.reads, this.#users.work].map(({ secret }) => secret);
    this.proxy = addProxy(this, 'Proxy', { instance: this.instance, secrets: this.secrets, network, port });
  }

  connect(fn: ServiceFunction, use: DatabaseUse): void {
    // The proxy's certificate is one of Amazon's public authorities, which Node.js trusts; so its name is what tells it
    // from any other server that has one.
    const ssl = encodeURIComponent(JSON.stringify({ verifyIdentity: true }));
    const url = `mysql://${owner}@${this.proxy.endpoint}:${port}/${schema}?ssl=${ssl}`;
    connectToMysql(fn, use, { url, owner: this.#owner, users: this.#users });
  }
}
