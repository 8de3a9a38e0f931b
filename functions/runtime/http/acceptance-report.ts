import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { logEvents } from '../observe/log.ts';
import type { Report } from '../observe/report.ts';
import type { ApiEvent } from './validation.ts';

/** Reports the writes of each request that was accepted. */
export const acceptanceReport = (report: Report): MiddlewareObj<APIGatewayProxyEvent> => ({
  after: async ({ event }) => {
    const { body, requestId } = (event as ApiEvent<'createMessages'>).request as {
      body?: { messages?: unknown[] };
      requestId: string;
    };
    const writes = body?.messages?.length ?? 1;
    report(logEvents.accepted, { accepted: writes }, [requestId]);
  },
});
