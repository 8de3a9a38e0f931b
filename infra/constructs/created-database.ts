import { Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
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
import { type DatabaseSize, engineVersions } from '../config.ts';
import { connectToMysql, type Database, type DatabaseUse, type UserSecret } from './database.ts';
import { addProxy } from './database-proxy.ts';
import { closedGroup, type Network } from './network.ts';
import { removalOf } from './removal.ts';
import { allowReading } from './secret-access.ts';
import type { ServiceFunction } from './service-function.ts';
import { suppress } from './suppress.ts';

/** The name of the master user, which migrations use. */
const owner = 'chat';
const schema = 'chat';
/** The default port of MySQL. */
const port = 3306;

interface CreatedDatabaseProps {
  size: DatabaseSize;
  network: Network;
  keepData: boolean;
}

/** An RDS for MySQL instance in the private network, with the proxy through which functions reach it. */
export class CreatedDatabase extends Construct implements Database {
  readonly instance: DatabaseInstance;
  readonly proxy: DatabaseProxy;
  readonly secrets: ISecret[];
  readonly #owner: UserSecret;
  readonly #users: { reads: UserSecret; work: UserSecret };

  constructor(scope: Construct, id: string, { size, network, keepData }: CreatedDatabaseProps) {
    super(scope, id);
    // No minor version: RDS chooses its default for a new instance and upgrades it in the maintenance window. With a
    // pinned minor version, deployments would fail after RDS has upgraded past it, because RDS refuses downgrades. New
    // instances would fail after RDS has withdrawn the version, about a year after its release.
    const engine = DatabaseInstanceEngine.mysql({
      version: MysqlEngineVersion.of(engineVersions.mysql, engineVersions.mysql),
    });
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
      // RDS generates the password of the master user, stores it in Secrets Manager and rotates it every seven days.
      manageMasterUserPassword: true,
      parameterGroup: new ParameterGroup(this, 'Parameters', {
        engine,
        // RDS for MySQL allows only the values 0 and 1.
        parameters: { require_secure_transport: '1' },
      }),
      backupRetention: Duration.days(size.backupDays),
      deleteAutomatedBackups: !keepData,
      copyTagsToSnapshot: true,
      // Only the error log, because the slow query log would contain the texts of messages.
      cloudwatchLogsExports: ['error'],
      deletionProtection: keepData,
      removalPolicy: removalOf(keepData),
    });
    suppress(this.instance, {
      'CloudFormation-Validate::E9006':
        'The rule knows full versions only, but RDS also accepts a major version and chooses the minor one.',
      'AwsSolutions-RDS11': 'Another port would not add security, because the security group admits only the proxy.',
      ...(!size.multiAz && {
        'AwsSolutions-RDS3': 'The stage is for experiments, where minutes without the database are acceptable.',
      }),
      ...(!keepData && {
        'AwsSolutions-RDS10': 'The stage is for experiments, and its database is deleted with its stack.',
      }),
    });
    const withArn = (secret: ISecret): UserSecret => ({ secret, id: secret.secretArn });
    const userSecret = (id: string, user: string, purpose: string): UserSecret => {
      const secret = new Secret(this, id, {
        description: `chat-system: SQL user for ${purpose}`,
        generateSecretString: {
          secretStringTemplate: JSON.stringify({ username: user }),
          generateStringKey: 'password',
          // 43 letters and digits have 256 bits of entropy.
          passwordLength: 43,
          excludePunctuation: true,
        },
        removalPolicy: removalOf(keepData),
      });
      suppress(secret, {
        'AwsSolutions-SMG4':
          'Only functions use this password, and it gives no access from outside the network; docs/security.md says how to change it.',
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
    // The certificate of the proxy comes from a public authority of Amazon, which Node.js trusts. Only the verified host
    // name distinguishes the proxy from other servers with such a certificate.
    const ssl = encodeURIComponent(JSON.stringify({ verifyIdentity: true }));
    const url = `mysql://${owner}@${this.proxy.endpoint}:${port}/${schema}?ssl=${ssl}`;
    connectToMysql(fn, use, { url, owner: this.#owner, users: this.#users });
  }

  allowOperations(operator: ManagedPolicy): void {
    allowReading(operator, this.#users.work.secret);
  }
}
