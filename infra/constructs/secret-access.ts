import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ServiceFunction } from './service-function.ts';

/** The ARN of a secret; of one that is known by its name, with AWS's six characters of its own left open. */
export const arnOf = (secret: ISecret): string => secret.secretFullArn ?? `${secret.secretArn}-??????`;

/** The function may read the secret, and nothing about it. */
export function allowReading(fn: ServiceFunction, secret: ISecret): void {
  fn.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arnOf(secret)] }));
}
