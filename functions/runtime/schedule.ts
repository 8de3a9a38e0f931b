import middy from '@middy/core';
import type { Context, EventBridgeEvent } from 'aws-lambda';
import type { LambdaHandler } from './lambda.ts';

export type ScheduledEvent = EventBridgeEvent<'Scheduled Event', Record<string, never>>;
export type ScheduleHandler = LambdaHandler<ScheduledEvent, void>;

/** Makes a piece of regular work into a Lambda handler for an EventBridge schedule; what it throws is thrown on. */
export const scheduled =
  <Needs>(work: (services: Needs, context: Context) => Promise<void>) =>
  (services: Needs): ScheduleHandler =>
    middy<ScheduledEvent, void>((_event: ScheduledEvent, context: Context) =>
      work(services, context),
    ) as ScheduleHandler;
