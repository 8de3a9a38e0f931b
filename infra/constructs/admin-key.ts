import { CfnOutput } from 'aws-cdk-lib';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { adminKey, openRegistry } from '../../functions/aws/admin-key.ts';
import { removalOf } from './removal.ts';
import { allowReading } from './secret-access.ts';
import type { ServiceFunction } from './service-function.ts';
import { suppress } from './suppress.ts';

interface AdminKeyProps {
  /** The name of an existing secret; undefined: a secret is created. */
  secretName: string | undefined;
  keepData: boolean;
}

/** The secret that holds the admin key, which creating and listing applications requires. */
export class AdminKey extends Construct {
  readonly secret: ISecret;
  /** The name or ARN under which functions and operators read the secret. */
  readonly #secretId: string;

  constructor(scope: Construct, id: string, { secretName, keepData }: AdminKeyProps) {
    super(scope, id);
    this.secret = secretName
      ? Secret.fromSecretNameV2(this, 'Secret', secretName)
      : // CDK's own types don't agree under exactOptionalPropertyTypes.
        (new Secret(this, 'Secret', {
          description: 'chat-system: the admin key, required to create and list applications',
          // Letters and digits only, because clients send the key in a header. 43 of them have 256 bits of entropy.
          generateSecretString: { passwordLength: 43, excludePunctuation: true },
          removalPolicy: removalOf(keepData),
        }) as ISecret);
    this.#secretId = secretName ?? this.secret.secretArn;
    suppress(this, {
      'AwsSolutions-SMG4': 'Operators distribute the admin key to their clients, so they decide when it changes.',
    });
    new CfnOutput(this, 'SecretId', {
      key: 'AdminKeySecret',
      value: this.#secretId,
      description: 'Secret that holds the admin key',
    });
  }

  /** Lets the function read the admin key and require it of its callers. */
  connect(fn: ServiceFunction): void {
    allowReading(fn, this.secret);
    fn.setVariables<typeof adminKey>({ ADMIN_KEY_SECRET: this.#secretId });
  }
}

/** Makes the function accept callers without an admin key: everyone can create and list applications. */
export function leaveRegistryOpen(fn: ServiceFunction): void {
  fn.setVariables<typeof adminKey>({ ADMIN_KEY_SECRET: 'open' satisfies typeof openRegistry });
}
