import type { Context } from 'aws-lambda';

/** A Lambda handler as every host calls it. */
export type LambdaHandler<Event, Result> = (event: Event, context: Context) => Promise<Result>;
