import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts findings of cdk-nag on a construct and what is in it, each with its reason.
 *
 * @param reasons by the rule's id, or the finding's (`AwsSolutions-IAM5[Resource::*]`)
 */
export function accept(construct: IConstruct, reasons: Record<string, string>): void {
  Validations.of(construct).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })));
}
