import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { database } from '../../functions/aws/database.ts';
import type { databaseUsers } from '../../functions/aws/database-users.ts';
import type { MysqlUsers } from '../../lib/store/mysql/users.ts';
import { allowReading } from './secret-access.ts';
import type { ServiceFunction, VariablesOf } from './service-function.ts';

/** What a function does with the database: it decides the function's SQL user, and how long it waits. */
export type DatabaseUse = NonNullable<VariablesOf<typeof database>['MYSQL_USE']>;

/** A secret with the name and password of an SQL user. */
export interface UserSecret {
  secret: ISecret;
  /** Its name or ARN, as functions ask for it. */
  id: string;
}

/** The SQL database that the store is in. */
export interface Database extends Construct {
  /** Of all its users. */
  readonly secrets: ISecret[];
  /** The function gets there, with the rights of the user that is for this use. */
  connect(fn: ServiceFunction, use: DatabaseUse): void;
}

/** Where a database is, and its users. */
export interface MysqlAccess {
  /** `mysql://user@host:port/database` */
  url: string;
  /** The user that migrations work as. */
  owner: UserSecret;
  /** The users that migrations make; without them, every function works as the owner. */
  users: Record<keyof MysqlUsers, UserSecret> | undefined;
}

/** Lets the function read the secret of its own user; a migration reads those of the users that it makes, too. */
export function connectToMysql(fn: ServiceFunction, use: DatabaseUse, { url, owner, users }: MysqlAccess): void {
  const { secret, id } = use === 'migration' || !users ? owner : users[use];
  allowReading(fn, secret);
  fn.setVariables<typeof database>({ MYSQL_URL: url, MYSQL_SECRET: id, MYSQL_USE: use });
  if (use !== 'migration' || !users) return;
  for (const user of Object.values(users)) allowReading(fn, user.secret);
  fn.setVariables<typeof databaseUsers>({ MYSQL_READER_SECRET: users.reads.id, MYSQL_WORKER_SECRET: users.work.id });
}
