import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import type { ServiceFunction } from './service-function.ts';

/** Calls the function during each deployment that changes it. If the call fails, the deployment fails. */
export class Migration extends Construct {
  readonly #trigger: Trigger;

  constructor(scope: Construct, id: string, migrate: ServiceFunction) {
    super(scope, id);
    this.#trigger = new Trigger(this, 'Trigger', { handler: migrate, timeout: migrate.size.timeout });
  }

  /** Makes the migration run before CloudFormation creates or updates the other constructs. */
  runBefore(...others: Construct[]): void {
    this.#trigger.executeBefore(...others);
  }
}
