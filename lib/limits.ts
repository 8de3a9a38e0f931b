/**
 * Every limit and default of the system, each with its reason. A rule that comes from the HTTP contract is repeated in
 * the OpenAPI document, which is built from these constants.
 */
export const limits = {
  /**
   * Highest number of a chat in its application and of a message in its chat. Ledger, store, search index and archive
   * hold no other: the embedded index keeps a message's number in 32 bits of the document's id, so a larger one would
   * reach into the next chat.
   */
  highestNumber: 2 ** 32 - 1,
  /** Highest revision of an application, chat or message: MySQL keeps revisions in INT UNSIGNED columns. */
  highestRevision: 2 ** 32 - 1,
  /** Latest time, in milliseconds since 1970: RFC 3339 writes years with four digits. The earliest is 0. */
  latestTime: Date.parse('9999-12-31T23:59:59.999Z'),
  /**
   * Longest line of an archive file, in bytes. Our longest line is about 60 kB: a body of 10,000 control characters, each
   * escaped with 6 bytes.
   */
  archiveLineBytes: 1_000_000,
  /** Longest name of an application or chat, in code points: fits a VARCHAR(255), which both SQL engines index whole. */
  nameLength: 255,
  /** Longest message body, in code points: at four bytes each it still fits a MySQL TEXT column (65,535 bytes). */
  bodyLength: 10_000,
  /** Most messages in one batch request: one multi-row INSERT of this size is past the point of diminishing returns. */
  batchSize: 1_000,
  /** Largest request body in bytes: an SQS message holds 1 MiB, and an accepted request travels as one. */
  requestBytes: 1_048_576,
  /**
   * Most members and items of one request body, at all depths: 30 for each message of a full batch. Unknown members are
   * ignored but parsed, and a megabyte of them takes up to 90 ms of processor time; these take 15 ms at most.
   */
  bodyValues: 30_000,
  /** Most faults that one answer names: enough for a form, and an answer stays below 4 kB. */
  faults: 20,
  /** Page sizes of the lists. */
  page: { max: 1_000, default: 50 },
  /** Page sizes of a search, smaller because every match is highlighted. */
  searchPage: { max: 100, default: 20 },
  /** A page ends early at this many bytes of JSON: a Lambda function's answer may hold 6 MB. */
  pageBytes: 4_000_000,
  /** A page of messages ends early when it would name more unstored numbers than this, for the same reason. */
  pendingNumbers: 10_000,
  /** Longest search text, in code points. */
  queryLength: 256,
  /** A search counts its matches exactly up to here; OpenSearch stops counting at the same number by default. */
  exactTotal: 10_000,
  /**
   * What a search of the embedded engine reads at most to see whether it matches: so many texts, at 4 µs each, take half as
   * long as to do without; and so many characters of them, for a text may be long.
   */
  candidates: { texts: 5_000, characters: 1_000_000 },
  /** Longest Idempotency-Key, in characters. */
  idempotencyKeyLength: 255,
  /**
   * Fewest characters, and fewest different ones, of an Idempotency-Key that several callers' creates of applications
   * share a scope with: 22 characters of base64url hold 128 bits, and 128 random bits in hexadecimal digits have fewer
   * than 6 different ones once in 3,000,000,000,000 times.
   */
  unguessableKey: { length: 22, characters: 6 },
  /** How long an Idempotency-Key is remembered, in milliseconds. */
  idempotencyMs: 24 * 60 * 60 * 1_000,
  /**
   * A request with an Idempotency-Key has it to itself for this long, in milliseconds: longer than a function may run, so
   * that whoever takes over knows the first to be dead.
   */
  idempotencyLeaseMs: 30_000,
  /**
   * Longest record in bytes: DynamoDB, where it is parked while SQS is out, holds items of 400 KB with names and keys;
   * SQS takes 1 MiB. One write is at most 120 KB, so a record always holds at least two.
   */
  recordBytes: 350_000,
  /**
   * The keys of the system secret on AWS, in milliseconds. A running function reads them again after `refreshMs`, beside
   * a request; keys that were read longer than `heldMs` ago are used no more. A new key signs after `signsAfterMs`: by
   * then every function has it, with five minutes between the clocks. An earlier one verifies for `verifiesMs` after it
   * signed for the last time: a day, and an hour more.
   */
  systemSecret: { refreshMs: 300_000, heldMs: 600_000, signsAfterMs: 900_000, verifiesMs: 25 * 60 * 60 * 1_000 },
  /** Rows that a worker writes in one transaction: long enough to be fast, short enough to let readers and others in. */
  rowsPerTransaction: 1_000,
  /** Rows that a purge deletes in one transaction; a step takes some 20 ms, so accepted writes are stored in between. */
  purgeRows: 1_000,
  /** Changed chats and applications that the roll-up counts at a time. */
  rollupMarks: 1_000,
  /** A queue hands out no more than about this much text at once: a Lambda function's event may hold 6 MB. */
  deliveryCharacters: 4_000_000,
  /** A queue gives a message up only after this many deliveries, so that an outage of SQL dead-letters nothing. */
  maxReceives: 1_000,
  /** How long a queue keeps a message (SQS's longest): after it, no late write to something deleted can arrive. */
  queueRetentionMs: 14 * 24 * 60 * 60 * 1_000,
  /**
   * A missing number becomes void when it was noticed this long ago, and its write is neither parked nor a dead letter: it
   * could only have been in the queue since, which keeps it no longer; the hour is for the clocks and for whoever had it
   * in hand in the end.
   */
  voidAfterMs: (14 * 24 + 1) * 60 * 60 * 1_000,
  /** Numbers that are compared at a time; without their texts, that is some 100 kB. */
  numbersCompared: 1_000,
  /**
   * How long SQL may keep its callers waiting, in milliseconds. A reader is answered within 3 s, and both answer within
   * 10 ms in health. A worker's batch takes a second or two; it can wait out a failover's first moments. A migration
   * may wait for another one, and rebuild a table.
   */
  sqlMs: {
    reads: { connectMs: 1_000, queryMs: 2_000 },
    work: { connectMs: 5_000, queryMs: 20_000 },
    migration: { connectMs: 5_000, queryMs: 60 * 60 * 1_000 },
  },
  /** The same for the search index: a search is for a reader, who has asked SQL before; the rest is a worker's. */
  searchMs: { search: 1_500, work: 20_000 },
  /** Ids in one line of a log, 37 bytes each: CloudWatch keeps lines of 256 KB, and people read them. */
  requestIdsPerLine: 1_000,
  /** How long a worker's batch may take, in milliseconds: it takes a second or two, and may wait for a database. */
  workerMs: 60_000,
  /**
   * A worker asks so often which indexes there are to write to, in milliseconds: one more request of 2 ms then. An
   * operator who indexes anew waits for it, and for the batches under way.
   */
  writeIndexesMs: 10_000,
  /** Bytes of text in one SQL statement: doubled by escaping, they fit the smallest default packet (MariaDB, 16 MB). */
  statementBytes: 4_000_000,
  /** Bytes of one bulk request: OpenSearch advises 5 to 15 MB, and small domains on AWS refuse more than 10 MB. */
  bulkBytes: 8_000_000,
  /** A function that runs out of time answers 503 this much earlier, in milliseconds, before Lambda ends it. */
  timeoutEarlyMs: 300,
  /** `Retry-After` of a message that is accepted but not stored yet, and of a key in flight, in seconds. */
  retryAfterSeconds: 1,
  /** `Retry-After` while a dependency is unavailable, in seconds. */
  unavailableRetryAfterSeconds: 5,
} as const;
