import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { database } from '../../functions/aws/database.ts';
import { allowReading } from './secret-access.ts';
import type { ServiceFunction, VariablesOf } from './service-function.ts';

/** What a function does with the database, which says how long it waits for it. */
export type DatabaseUse = NonNullable<VariablesOf<typeof database>['MYSQL_USE']>;

/** The SQL database that the store is in. */
export interface Database extends Construct {
  /** Holds the password of the one user there is. */
  readonly secret: ISecret;
  /** The function gets there, with the rights of that user. */
  connect(fn: ServiceFunction, use: DatabaseUse): void;
}

/** @param secret its name or ARN, as the function is to ask for it */
export function connectToMysql(
  fn: ServiceFunction,
  use: DatabaseUse,
  mysql: { url: string; secret: ISecret; secretId: string },
): void {
  allowReading(fn, mysql.secret);
  fn.setVariables<typeof database>({ MYSQL_URL: mysql.url, MYSQL_SECRET: mysql.secretId, MYSQL_USE: use });
}
