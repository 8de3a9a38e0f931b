import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  paginateDescribeLogGroups,
} from '@aws-sdk/client-cloudwatch-logs';
import { awsClient } from './aws-client.ts';

/** Lambda's own naming (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html). */
const prefix = '/aws/lambda/';

/** How far back the first look goes, and how often a followed log is looked at, in milliseconds. */
const recentMs = 15 * 60_000;
const pollMs = 1_000;

interface Line {
  id: string;
  at: number;
  functionName: string;
  text: string;
}

/** Prints the last lines that the functions have logged, in the order of their times; with `follow`, new ones until the process ends. */
export async function printFunctionLogs(endpoint: string, lines: number, follow: boolean): Promise<void> {
  const client = new CloudWatchLogsClient(awsClient(endpoint));
  const printed = new Set<string>();
  const print = (found: Line[]) => {
    for (const { id, at, functionName, text } of found) {
      printed.add(id);
      console.log(`${new Date(at).toISOString()} ${functionName} │ ${text}`);
    }
  };
  let since = Date.now() - recentMs;
  print((await logged(client, since)).slice(-lines));
  while (follow) {
    // Lines may come late, so each look goes back behind the one before.
    since = Date.now() - 10 * pollMs;
    await sleep(pollMs);
    print((await logged(client, since)).filter(({ id }) => !printed.has(id)));
  }
}

async function logged(client: CloudWatchLogsClient, since: number): Promise<Line[]> {
  const found: Line[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, { logGroupNamePrefix: prefix }))
    for (const { logGroupName = '' } of logGroups) {
      const { events = [] } = await client.send(new FilterLogEventsCommand({ logGroupName, startTime: since }));
      for (const { eventId, timestamp = 0, message = '' } of events) {
        const functionName = logGroupName.slice(prefix.length);
        found.push({
          id: eventId ?? `${functionName} ${timestamp} ${message}`,
          at: timestamp,
          functionName,
          text: message.trimEnd(),
        });
      }
    }
  return found.sort((a, b) => a.at - b.at);
}
