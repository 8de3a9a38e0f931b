import type { App, StackProps } from 'aws-cdk-lib';
import { AccountStack } from './account-stack.ts';
import { DataStack } from './data-stack.ts';
import type { Deployment } from './flags.ts';
import { MonitoringStack } from './monitoring-stack.ts';
import { ServiceStack } from './service-stack.ts';

/** The stacks of a deployment, in the order in which they are deployed. */
export interface Stacks {
  account: AccountStack;
  data: DataStack;
  service: ServiceStack;
  /** Undefined for stages without monitoring. */
  monitoring?: MonitoringStack;
}

/**
 * Adds the stacks of a deployment to the app.
 *
 * @param bundles the folder that holds the bundle of every function
 * @param shell the environment variables in which CDK passes the default account and region
 */
export function addStacks(app: App, deployment: Deployment, bundles: string, shell = process.env): Stacks {
  const { name } = deployment;
  const env = environmentOf(deployment, shell);
  const account = new AccountStack(app, 'ChatSystem-Account', { env });
  const data = new DataStack(app, `ChatSystem-${name}-Data`, { env, deployment });
  const service = new ServiceStack(app, `ChatSystem-${name}-Service`, { env, deployment, data, bundles });
  service.addStackDependency(account);
  if (!deployment.stage.monitoring) return { account, data, service };
  const monitoring = new MonitoringStack(app, `ChatSystem-${name}-Monitoring`, { env, deployment, data, service });
  return { account, data, service, monitoring };
}

function environmentOf({ stage, vpcId }: Deployment, shell: NodeJS.ProcessEnv): NonNullable<StackProps['env']> {
  if (stage.account) return { account: stage.account };
  // CDK needs the account and region at synthesis only to look up an existing VPC. Everything else is resolved at
  // deployment.
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = shell;
  return vpcId && account && region ? { account, region } : {};
}
