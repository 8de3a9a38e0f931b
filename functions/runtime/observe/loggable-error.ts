import * as z from 'zod/mini';
import { inOurSources } from './source-positions.ts';

/** Errors whose messages describe the program and not the data that it processed. */
const ofTheProgram = [TypeError, RangeError, ReferenceError];

/** Built when the first error is logged, because most functions start and end without one. */
let known: ReturnType<typeof makeKnown> | undefined;

function makeKnown() {
  /**
   * The name of an error that servers and client libraries use: ECONNREFUSED, ER_DATA_TOO_LONG,
   * mapper_parsing_exception.
   */
  const identifier = z.string().check(z.regex(/^\w{1,80}$/));
  const orNothing = <Schema extends z.ZodMiniType>(schema: Schema) => z.catch(z.optional(schema), undefined);
  return z.object({
    code: orNothing(z.union([identifier, z.int()])),
    // Further details of SQLite, MySQL, AWS and OpenSearch, in this order.
    errcode: orNothing(z.int()),
    sqlState: orNothing(identifier),
    $metadata: orNothing(z.object({ httpStatusCode: z.optional(z.int()), requestId: z.optional(z.string()) })),
    meta: orNothing(z.object({ statusCode: z.int(), body: z.object({ error: z.object({ type: identifier }) }) })),
  });
}

/**
 * Returns the members of an error that may be logged. The error of a dependency may quote its input, in its message
 * (MySQL: "Incorrect string value: …") and in other members (`sql`, with all values; the failed request). So messages
 * and members that are not known to be free of input are left out. The remaining names, codes and source positions tell
 * what happened.
 */
export function loggableError(error: Error): Record<string, unknown> {
  known ??= makeKnown();
  const { code, errcode, sqlState, $metadata, meta } = known.parse(error);
  // The message of an operating system error contains only the call and the address.
  const hasSafeMessage =
    'syscall' in error || (code === undefined && ofTheProgram.some((type) => error.constructor === type));
  return {
    name: error.name,
    ...(hasSafeMessage && { message: error.message }),
    code,
    errcode,
    sql_state: sqlState,
    status: $metadata?.httpStatusCode ?? meta?.statusCode,
    type: meta?.body.error.type,
    aws_request_id: $metadata?.requestId,
    stack: sourcePositionsOf(error),
    ...(error.cause instanceof Error && { cause: loggableError(error.cause) }),
  };
}

/**
 * Returns the lines of the stack that name positions in the source. The message is removed first, because it may have
 * many lines.
 */
const sourcePositionsOf = ({ stack = '', message }: Error): string[] =>
  stack
    .replace(message, () => '')
    .split('\n')
    .filter((line) => /^ {4}at .*:\d+\)?$/.test(line))
    .map((line) => inOurSources(line.trim()));
