import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';

/** The ARN of a secret; of one that is known by its name, with AWS's six characters of its own left open. */
export const arnOf = (secret: ISecret): string => secret.secretFullArn ?? `${secret.secretArn}-??????`;

/** The function or role may read the secret, and nothing about it. */
export function allowReading({ grantPrincipal }: IGrantable, secret: ISecret): void {
  grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arnOf(secret)] }),
  );
}

/** The function or role may give the secret another value. */
export function allowReplacing({ grantPrincipal }: IGrantable, secret: ISecret): void {
  grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['secretsmanager:PutSecretValue'], resources: [arnOf(secret)] }),
  );
}
