import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { database } from '../../functions/aws/database.ts';
import type { databaseUsers } from '../../functions/aws/database-users.ts';
import type { MysqlUsers } from '../../lib/store/mysql/users.ts';
import { allowReading } from './secret-access.ts';
import type { ServiceFunction, VariablesOf } from './service-function.ts';

/** What a function uses the database for. It determines the SQL user and the query timeout. */
export type DatabaseUse = NonNullable<VariablesOf<typeof database>['MYSQL_USE']>;

/** The secret that holds the name and password of an SQL user. */
export interface UserSecret {
  secret: ISecret;
  /** The name or ARN under which functions read the secret. */
  id: string;
}

/** The SQL database of the store. */
export interface Database extends Construct {
  /** The secrets of all SQL users. */
  readonly secrets: ISecret[];
  /** Lets the function connect to the database as the SQL user for this use. */
  connect(fn: ServiceFunction, use: DatabaseUse): void;
  /** Lets an operator use script/ops, which connects as the SQL user of workers. */
  allowOperations(operator: ManagedPolicy): void;
}

/** The address of a database and the secrets of its users. */
export interface MysqlAccess {
  /** `mysql://user@host:port/database` */
  url: string;
  /** The user that migrations connect as. */
  owner: UserSecret;
  /** The users that migrations create. Undefined: every function connects as the owner. */
  users: Record<keyof MysqlUsers, UserSecret> | undefined;
}

/** Returns the secret of the SQL user for this use. */
export const secretFor = (use: DatabaseUse, { owner, users }: Pick<MysqlAccess, 'owner' | 'users'>): UserSecret =>
  use === 'migration' || !users ? owner : users[use];

/** Lets the function read the secret of its SQL user. A migration can also read the secrets of the users it creates. */
export function connectToMysql(fn: ServiceFunction, use: DatabaseUse, access: MysqlAccess): void {
  const { url, users } = access;
  const { secret, id } = secretFor(use, access);
  allowReading(fn, secret);
  fn.setVariables<typeof database>({ MYSQL_URL: url, MYSQL_SECRET: id, MYSQL_USE: use });
  if (use !== 'migration' || !users) return;
  for (const user of Object.values(users)) allowReading(fn, user.secret);
  fn.setVariables<typeof databaseUsers>({ MYSQL_READER_SECRET: users.reads.id, MYSQL_WORKER_SECRET: users.work.id });
}
