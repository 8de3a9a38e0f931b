import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';

interface BudgetProps {
  /** The limit, in USD per month. */
  monthly: number;
  /** The address that is notified. Unlike SNS, AWS Budgets does not ask for a confirmation. */
  email: string;
}

/**
 * Sends an e-mail when the monthly cost of the account exceeds the limit, or when AWS forecasts that it will. The budget
 * covers the whole account, because costs can be split by stack only after somebody activates the stack tag for cost
 * allocation. It stops nothing, and AWS updates costs about three times a day.
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
