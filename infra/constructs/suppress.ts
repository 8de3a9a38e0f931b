import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Suppresses findings of cdk-nag on a construct and its children.
 *
 * @param reasons the reason of each suppression, by the id of the rule or of the finding (`AwsSolutions-IAM5[Resource::*]`)
 */
export function suppress(construct: IConstruct, reasons: Record<string, string>): void {
  Validations.of(construct).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })));
}
