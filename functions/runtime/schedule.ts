import middy from '@middy/core';
import type { Context, EventBridgeEvent } from 'aws-lambda';
import type { LambdaHandler } from './lambda.ts';
import { events, log } from './observe/log.ts';

export type ScheduledEvent = EventBridgeEvent<'Scheduled Event', Record<string, never>>;
export type ScheduleHandler = LambdaHandler<ScheduledEvent, void>;

/** Makes a piece of regular work into a Lambda handler for an EventBridge schedule; when it fails, so does the run. */
export const scheduled =
  <Needs>(work: (services: Needs, context: Context) => Promise<void>) =>
  (services: Needs): ScheduleHandler =>
    middy<ScheduledEvent, void>((_event: ScheduledEvent, context: Context) => work(services, context)).onError(
      ({ error }) => {
        log.error(events.scheduleFailed, { error: error as Error });
        // Lambda would print all that is in the error.
        throw new Error(events.scheduleFailed);
      },
    ) as ScheduleHandler;
