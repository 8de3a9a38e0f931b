import type { SQSRecord } from 'aws-lambda';
import { channelOf, feedId } from '../../lib/feed/channels.ts';
import { limits } from '../../lib/limits.ts';
import { decodeStepsRecord, type EncodedStep } from '../../lib/queue/records.ts';
import { log, logEvents } from '../runtime/observe/log.ts';
import type { FeedServices } from '../runtime/services.ts';
import { type Parsed, type Poison, secondsSince, worker } from '../runtime/worker.ts';

type FeedWorkerServices = Pick<FeedServices, 'ledger' | 'publisher'>;

/** A step in a batch, and the records that have it: the store worker may send a step twice. */
interface BatchStep {
  step: EncodedStep;
  records: SQSRecord[];
}

/**
 * Publishes the steps of the feed. What was not published is retried, in whatever order: followers sort by version, and
 * get a missing version from the store.
 */
export const feedWorker = worker({
  queue: 'feed',
  decode: decodeStepsRecord,
  done: logEvents.published,
  work: async (records, services: FeedWorkerServices) => {
    const steps = stepsOf(records);
    const { retry, refused } = await publishAll(await channelsOf(steps, services), services);
    const failed = new Set([...retry.keys()].flatMap((each) => each.records));
    // Retry a record that has both steps to retry and refused steps. As a dead letter, it would not be retried.
    const poison = new Map<SQSRecord, Poison>();
    for (const [{ records }, reason] of refused)
      for (const record of records) if (!failed.has(record)) poison.set(record, { record, reason });
    const published = records.filter(({ record }) => !failed.has(record) && !poison.has(record));
    const [oldest] = published.flatMap(({ content }) => content.at ?? []).sort((a, b) => a - b);
    const [error] = retry.values();
    if (error) log.warn(logEvents.notPublished, { records: failed.size, error });
    return {
      poison: [...poison.values()],
      failed: [...failed],
      measured: {
        published: steps.length - new Set([...retry.keys(), ...refused.keys()]).size,
        published_lag: secondsSince(oldest),
        publish_failures: error ? 1 : undefined,
      },
    };
  },
});

/** Returns each step once, in the order of the versions. */
function stepsOf(records: Parsed<{ steps: EncodedStep[] }>[]): BatchStep[] {
  const steps = new Map<string, BatchStep>();
  for (const { record, content } of records)
    for (const step of content.steps) {
      const key = `${step.token}/${step.chat ?? ''}/${step.version}`;
      const known = steps.get(key);
      if (known) known.records.push(record);
      else steps.set(key, { step, records: [record] });
    }
  return [...steps.values()].sort((a, b) => a.step.version - b.step.version);
}

/**
 * Returns the steps to publish to each channel. Each step goes to two channels: one for followers with the
 * application's own token, and one for followers with a current access token. The access generation is read for each
 * batch, because a cached one could be older than the access tokens of some followers.
 */
async function channelsOf(steps: BatchStep[], { ledger }: FeedWorkerServices): Promise<Map<string, BatchStep[]>> {
  const tokens = [...new Set(steps.map(({ step }) => step.token))];
  const generations = new Map(
    await Promise.all(tokens.map(async (token) => [token, await ledger.accessGeneration(token)] as const)),
  );
  const channels = new Map<string, BatchStep[]>();
  for (const each of steps) {
    const { token } = each.step;
    const generation = generations.get(token);
    // Nobody may follow an application that was deleted.
    if (generation === undefined) continue;
    for (const id of [feedId(token), feedId(token, generation)]) {
      const channel = channelOf(id, each.step);
      channels.set(channel, [...(channels.get(channel) ?? []), each]);
    }
  }
  return channels;
}

/** What was not published: steps to retry, each with the error, and steps that will never be accepted, with the reason. */
interface Unpublished {
  retry: Map<BatchStep, Error>;
  refused: Map<BatchStep, string>;
}

/**
 * Publishes the steps to their channels: the steps of one channel in order, and some channels at the same time. After the
 * first failure of the service it publishes nothing more, because the service is down or throttles.
 */
async function publishAll(channels: Map<string, BatchStep[]>, { publisher }: FeedWorkerServices): Promise<Unpublished> {
  const [retry, refused] = [new Map<BatchStep, Error>(), new Map<BatchStep, string>()];
  let outage: Error | undefined;
  const publish = async (channel: string, steps: BatchStep[]) => {
    try {
      if (outage) throw outage;
      for (const { index, reason, final } of await publisher.publish(channel, steps.map(eventOf))) {
        const step = steps[index] as BatchStep;
        if (final) refused.set(step, reason);
        else retry.set(step, new Error(reason));
      }
    } catch (error) {
      outage = error as Error;
      for (const step of steps) retry.set(step, outage);
    }
  };
  const waiting = channels.entries();
  const publishChannels = async () => {
    for (const [channel, steps] of waiting)
      for (let i = 0; i < steps.length; i += limits.appsync.eventsPerPublish)
        await publish(channel, steps.slice(i, i + limits.appsync.eventsPerPublish));
  };
  await Promise.all(Array.from({ length: limits.appsync.atOnce }, publishChannels));
  return { retry, refused };
}

const eventOf = ({ step }: BatchStep): string => step.event;
