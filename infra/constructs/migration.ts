import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import type { ServiceFunction } from './service-function.ts';

/** A call of the function during each deployment that changes it; when it fails, the deployment does. */
export class Migration extends Construct {
  readonly #trigger: Trigger;

  constructor(scope: Construct, id: string, migrate: ServiceFunction) {
    super(scope, id);
    this.#trigger = new Trigger(this, 'Trigger', { handler: migrate, timeout: migrate.size.timeout });
  }

  /** These change afterwards. */
  precedes(...others: Construct[]): void {
    this.#trigger.executeBefore(...others);
  }
}
