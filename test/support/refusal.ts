import { Problem, type ProblemCode } from '../../lib/api/problems.ts';

/** The code of the problem that a call is refused with; what fails otherwise fails the test. */
export const refusal = (call: Promise<unknown>): Promise<ProblemCode | 'accepted'> =>
  call.then(
    () => 'accepted' as const,
    (error: unknown) => {
      if (error instanceof Problem) return error.code;
      throw error;
    },
  );
