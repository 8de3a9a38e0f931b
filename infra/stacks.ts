import type { App, StackProps } from 'aws-cdk-lib';
import { AccountStack } from './account-stack.ts';
import { DataStack } from './data-stack.ts';
import type { Deployment } from './flags.ts';
import { WatchStack } from './monitoring-stack.ts';
import { ServiceStack } from './service-stack.ts';

/** The stacks of a deployment, in their order. */
export interface Stacks {
  account: AccountStack;
  data: DataStack;
  service: ServiceStack;
  /** None where nobody is to be told. */
  watch?: WatchStack;
}

/**
 * Adds the stacks of a deployment to the app.
 *
 * @param bundles the folder of all bundles
 * @param shell where CDK tells the account and region that the shell is set to use
 */
export function addStacks(app: App, deployment: Deployment, bundles: string, shell = process.env): Stacks {
  const { name } = deployment;
  const env = environmentOf(deployment, shell);
  const account = new AccountStack(app, 'ChatSystem-Account', { env });
  const data = new DataStack(app, `ChatSystem-${name}-Data`, { env, deployment });
  const service = new ServiceStack(app, `ChatSystem-${name}-Service`, { env, deployment, data, bundles });
  service.addStackDependency(account);
  if (!deployment.stage.watch) return { account, data, service };
  const watch = new WatchStack(app, `ChatSystem-${name}-Watch`, { env, deployment, data, service });
  return { account, data, service, watch };
}

function environmentOf({ stage, vpcId }: Deployment, shell: NodeJS.ProcessEnv): NonNullable<StackProps['env']> {
  if (stage.account) return { account: stage.account };
  // CDK looks a network up in an account and region that it knows; all else can be told when it is deployed.
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = shell;
  return vpcId && account && region ? { account, region } : {};
}
