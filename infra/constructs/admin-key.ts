import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { adminKey } from '../../functions/aws/admin-key.ts';
import type { ServiceFunction } from './service-function.ts';

/** The operators' key, in a secret; where none is named, the registry of applications is open. */
export class AdminKey extends Construct {
  readonly #secret: ISecret | undefined;

  constructor(scope: Construct, id: string, secretName: string | undefined) {
    super(scope, id);
    this.#secret = secretName ? Secret.fromSecretNameV2(this, 'Secret', secretName) : undefined;
  }

  /** The function asks its callers for the key. */
  connect(fn: ServiceFunction): void {
    if (!this.#secret) return;
    this.#secret.grantRead(fn);
    fn.setVariables<typeof adminKey>({ ADMIN_KEY_SECRET: this.#secret.secretName });
  }
}
