import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import { awsClient } from './aws-client.ts';

/**
 * Returns the construct's name from the name of its function's log group. MiniStack 1.5 names that group
 * `/aws/cloudformation/<stack>/<construct>Logs<hash>`, LocalStack 4.14 `/aws/lambda/<stack>-<construct><hash>-…`.
 */
const functionOf = (logGroup: string): string => /[/-](\w+?)(?:Logs)?[0-9A-F]{8}/.exec(logGroup)?.[1] ?? logGroup;

/**
 * Matches lines that say nothing about a function: the START and END lines of Lambda, because the REPORT line has the
 * request id too; and the warning with which each process begins, which MiniStack's own program causes by calling
 * url.parse().
 */
const noise = /^(START|END) RequestId|\[DEP0169\] DeprecationWarning|^\(Use `node --trace-deprecation/;

/** How far back the first query reaches, and how often a followed log is queried, in milliseconds. */
const recentMs = 15 * 60_000;
const pollMs = 1_000;

interface Line {
  id: string;
  at: number;
  functionName: string;
  text: string;
}

/**
 * Prints the last log lines of the functions in the order of their times; with `follow`, also new lines until the
 * process exits.
 */
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
    // Lines may arrive late, so each query overlaps the one before.
    since = Date.now() - 10 * pollMs;
    await sleep(pollMs);
    print((await logged(client, since)).filter(({ id }) => !printed.has(id)));
  }
}

async function logged(client: CloudWatchLogsClient, since: number): Promise<Line[]> {
  const found: Line[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {}))
    for (const { logGroupName = '' } of logGroups)
      for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName, startTime: since }))
        for (const { eventId, timestamp = 0, message = '' } of events) {
          const functionName = functionOf(logGroupName);
          const id = eventId ?? `${functionName} ${timestamp} ${message}`;
          if (!noise.test(message)) found.push({ id, at: timestamp, functionName, text: message.trimEnd() });
        }
  return found.sort((a, b) => a.at - b.at);
}
