import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';

/** Returns the ARN of a secret. For a secret known by name, wildcards stand for the six characters that AWS appends. */
export const arnOf = (secret: ISecret): string => secret.secretFullArn ?? `${secret.secretArn}-??????`;

/** Lets the function or role read the value of the secret, but not its metadata. */
export function allowReading({ grantPrincipal }: IGrantable, secret: ISecret): void {
  grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arnOf(secret)] }),
  );
}

/** Lets the function or role store a new value of the secret. */
export function allowReplacing({ grantPrincipal }: IGrantable, secret: ISecret): void {
  grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['secretsmanager:PutSecretValue'], resources: [arnOf(secret)] }),
  );
}
