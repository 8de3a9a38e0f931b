import { CrossStackReferences, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AlarmTopic } from './constructs/alarm-topic.ts';
import { Alarms } from './constructs/alarms.ts';
import { Budget } from './constructs/budget.ts';
import { CreatedDatabase } from './constructs/created-database.ts';
import { FlowDashboard } from './constructs/dashboard.ts';
import type { Feed } from './constructs/feed.ts';
import { SearchDomain } from './constructs/search-domain.ts';
import type { WorkQueue } from './constructs/work-queue.ts';
import type { DataStack } from './data-stack.ts';
import type { Deployment } from './flags.ts';
import { backgroundAlarms } from './monitoring/background-alarms.ts';
import { columnsOf } from './monitoring/columns.ts';
import type { Monitored } from './monitoring/monitored.ts';
import { requestAlarms } from './monitoring/request-alarms.ts';
import { serverAlarms } from './monitoring/server-alarms.ts';
import type { ServiceStack } from './service-stack.ts';

interface MonitoringStackProps extends StackProps {
  deployment: Deployment;
  data: DataStack;
  service: ServiceStack;
}

/** Monitors the other stacks: a dashboard, alarms that each have a section in docs/runbook.md, and a budget. */
export class MonitoringStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, data, service, ...props }: MonitoringStackProps) {
    super(scope, id, { ...props, description: 'chat-system: dashboard, alarms and budget' });
    CrossStackReferences.of(this).consume(deployment.stage.references);
    const { alarmEmail, monthlyBudget, runbookUrl: runbook } = deployment;
    const { topic } = new AlarmTopic(this, 'Topic', alarmEmail);
    const monitored = monitoredResources(deployment, data, service);
    const specs = [requestAlarms, backgroundAlarms, serverAlarms].flatMap((alarmsOf) => alarmsOf(monitored));
    const alarms = new Alarms(this, 'Alarms', { specs, topic, runbook });
    if (alarmEmail) new Budget(this, 'Budget', { monthly: monthlyBudget, email: alarmEmail });
    new FlowDashboard(this, 'Flow', { name: service.system, columns: columnsOf(monitored), alarms: alarms.all });
  }
}

const monitoredFeed = ({ queue, deadLetters }: WorkQueue, { api }: Feed) => ({ queue, deadLetters, apiId: api.apiId });

function monitoredResources({ stage, rollupMinutes }: Deployment, data: DataStack, service: ServiceStack): Monitored {
  const { queues, ledger, database, searchCluster } = data;
  return {
    system: service.system,
    rest: service.api.rest,
    functions: service.functions,
    ledger: ledger.table,
    queues,
    feed: queues.feed && service.feed && monitoredFeed(queues.feed, service.feed),
    mysql:
      database instanceof CreatedDatabase
        ? {
            instance: database.instance,
            proxyName: database.proxy.dbProxyName,
            // Instance types such as t4g.medium earn credits for CPU time.
            burstable: /^t\d/.test(stage.database?.instanceType ?? ''),
          }
        : undefined,
    search:
      searchCluster instanceof SearchDomain && stage.searchDomain
        ? { domain: searchCluster.domain, diskGb: stage.searchDomain.diskGb, nodes: stage.searchDomain.nodes }
        : undefined,
    rollupMinutes,
  };
}
