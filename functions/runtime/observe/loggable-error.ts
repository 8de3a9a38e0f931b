import * as z from 'zod/mini';

/** The messages of these tell of the program, not of what it worked on. */
const ofTheProgram = [TypeError, RangeError, ReferenceError];

/** Made when the first error is logged: most functions start, and end, without one. */
let known: ReturnType<typeof makeKnown> | undefined;

function makeKnown() {
  /** What servers and clients name their errors by: ECONNREFUSED, ER_DATA_TOO_LONG, mapper_parsing_exception. */
  const identifier = z.string().check(z.regex(/^\w{1,80}$/));
  const orNothing = <Schema extends z.ZodMiniType>(schema: Schema) => z.catch(z.optional(schema), undefined);
  return z.object({
    code: orNothing(z.union([identifier, z.int()])),
    // SQLite's, MySQL's, AWS's and OpenSearch's ways to say more.
    errcode: orNothing(z.int()),
    sqlState: orNothing(identifier),
    $metadata: orNothing(z.object({ httpStatusCode: z.optional(z.int()), requestId: z.optional(z.string()) })),
    meta: orNothing(z.object({ statusCode: z.int(), body: z.object({ error: z.object({ type: identifier }) }) })),
  });
}

/**
 * What of an error may be logged. A dependency's error may quote what it was given, in its message (MySQL: "Incorrect
 * string value: …") as well as beside it (`sql`, with all values; the request that failed), so messages and members
 * that are not known to be free of that are left out. What it was is told by the names, codes and places that remain.
 */
export function loggableError(error: Error): Record<string, unknown> {
  known ??= makeKnown();
  const { code, errcode, sqlState, $metadata, meta } = known.parse(error);
  // An error of the operating system names the call and the address.
  const speaks = 'syscall' in error || (code === undefined && ofTheProgram.some((type) => error.constructor === type));
  return {
    name: error.name,
    ...(speaks && { message: error.message }),
    code,
    errcode,
    sql_state: sqlState,
    status: $metadata?.httpStatusCode ?? meta?.statusCode,
    type: meta?.body.error.type,
    aws_request_id: $metadata?.requestId,
    stack: placesOf(error),
    ...(error.cause instanceof Error && { cause: loggableError(error.cause) }),
  };
}

/** The lines of the stack that name places in the source; a message may have many lines, too. */
const placesOf = ({ stack = '', message }: Error): string[] =>
  stack
    .replace(message, () => '')
    .split('\n')
    .filter((line) => /^ {4}at .*:\d+\)?$/.test(line))
    .map((line) => line.trim());
