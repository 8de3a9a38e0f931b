import middy from '@middy/core';
import type { Context, EventBridgeEvent } from 'aws-lambda';
import type { LambdaHandler } from './lambda.ts';
import { log, logEvents } from './observe/log.ts';

export type ScheduledEvent = EventBridgeEvent<'Scheduled Event', Record<string, never>>;
export type ScheduleHandler = LambdaHandler<ScheduledEvent, void>;

/** Makes regular work into a Lambda handler for an EventBridge schedule. When the work fails, the run fails. */
export const scheduled =
  <Needs>(work: (services: Needs, context: Context) => Promise<void>) =>
  (services: Needs): ScheduleHandler =>
    middy<ScheduledEvent, void>((_event: ScheduledEvent, context: Context) => work(services, context)).onError(
      ({ error }) => {
        log.error(logEvents.scheduleFailed, { error: error as Error });
        // Lambda would print the whole error, which may quote clients' data.
        throw new Error(logEvents.scheduleFailed);
      },
    ) as ScheduleHandler;
