import type { HttpHandler } from '../functions/runtime/http/operation.ts';
import { TooLong } from '../lib/model/errors.ts';

/**
 * Returns a handler that reads in this thread and, if that takes too long here, in a reader process.
 *
 * @param here the handler for this thread. Its services throw `TooLong`
 */
export const shortReads =
  (here: HttpHandler, inReader: HttpHandler): HttpHandler =>
  async (event, context) => {
    try {
      // A copy, because a handler changes its event.
      return await here({ ...event }, context);
    } catch (error) {
      if (error instanceof TooLong) return inReader(event, context);
      throw error;
    }
  };
