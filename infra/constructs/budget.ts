import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';

interface BudgetProps {
  /** In USD. */
  monthly: number;
  /** Who is told; unlike the topic, a budget does not ask first. */
  email: string;
}

/**
 * Tells by mail when the costs of the account are above the limit, or AWS forecasts that they will be. It counts the whole
 * account: a bill can be split by stack only where somebody has activated the tag of stacks for cost allocation. It stops
 * nothing, and AWS brings costs up to date some three times a day.
 */
export class Budget extends Construct {
  constructor(scope: Construct, id: string, { monthly, email }: BudgetProps) {
    super(scope, id);
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthly, unit: 'USD' },
      },
      notificationsWithSubscribers: ['ACTUAL', 'FORECASTED'].map((notificationType) => ({
        notification: {
          notificationType,
          comparisonOperator: 'GREATER_THAN',
          threshold: 100,
          thresholdType: 'PERCENTAGE',
        },
        subscribers: [{ subscriptionType: 'EMAIL', address: email }],
      })),
    });
  }
}
