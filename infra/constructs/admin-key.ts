import { CfnOutput } from 'aws-cdk-lib';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { adminKey, openRegistry } from '../../functions/aws/admin-key.ts';
import { removalOf } from './removal.ts';
import { allowReading } from './secret-access.ts';
import type { ServiceFunction } from './service-function.ts';
import { accept } from './suppress.ts';

interface AdminKeyProps {
  /** Of a secret that is there already; else one is made. */
  secretName: string | undefined;
  keepData: boolean;
}

/** The operators' key, in a secret. */
export class AdminKey extends Construct {
  readonly secret: ISecret;
  /** As functions and operators ask for it. */
  readonly #secretId: string;

  constructor(scope: Construct, id: string, { secretName, keepData }: AdminKeyProps) {
    super(scope, id);
    this.secret = secretName
      ? Secret.fromSecretNameV2(this, 'Secret', secretName)
      : // CDK's own types don't agree under exactOptionalPropertyTypes.
        (new Secret(this, 'Secret', {
          description: 'chat-system: the key of operators, who create and list applications',
          // It travels in a header; 43 letters and digits hold 256 bits.
          generateSecretString: { passwordLength: 43, excludePunctuation: true },
          removalPolicy: removalOf(keepData),
        }) as ISecret);
    this.#secretId = secretName ?? this.secret.secretArn;
    accept(this, {
      'AwsSolutions-SMG4': 'Operators have the key in hand: it changes when they say so, and not under them.',
    });
    new CfnOutput(this, 'SecretId', {
      key: 'AdminKeySecret',
      value: this.#secretId,
      description: 'The secret that holds the operators’ key',
    });
  }

  /** The function asks its callers for the key. */
  connect(fn: ServiceFunction): void {
    allowReading(fn, this.secret);
    fn.setVariables<typeof adminKey>({ ADMIN_KEY_SECRET: this.#secretId });
  }
}

/** The function lets everyone create and list applications. */
export function leaveRegistryOpen(fn: ServiceFunction): void {
  fn.setVariables<typeof adminKey>({ ADMIN_KEY_SECRET: 'open' satisfies typeof openRegistry });
}
