import { type ProblemCode, problemOf } from '../../../lib/api/problems.ts';
import { DomainError } from '../../../lib/model/errors.ts';

/** Returns the code of the problem that a client gets for the call's domain error. Any other error fails the test. */
export const refusal = (call: Promise<unknown>): Promise<ProblemCode | 'accepted'> =>
  call.then(
    () => 'accepted' as const,
    (error: unknown) => {
      if (error instanceof DomainError) return problemOf(error).code;
      throw error;
    },
  );
