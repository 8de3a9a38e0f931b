/**
 * Every limit and default of the system, each with its reason. A rule that comes from the HTTP contract is repeated in
 * the OpenAPI document, which is built from these constants.
 */
export const limits = {
  /**
   * Highest number of a chat in its application and of a message in its chat. The ledger, the store, the search index
   * and the archive accept no higher one. The SQLite search index keeps a message's number in 32 bits of the document's
   * id, so a higher number would collide with the next chat.
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
  /**
   * Maximum number of gaps in an archive file: chat and message numbers that have no line. Import records each of them
   * as void, which takes 5 s in SQLite for this many. A file with more is more likely damaged than numbered with gaps.
   */
  archiveGaps: 1_000_000,
  /**
   * Longest name of an application or chat, in code points: fits a VARCHAR(255), which both SQL engines index whole.
   */
  nameLength: 255,
  /** Longest message body, in code points: at four bytes each it still fits a MySQL TEXT column (65,535 bytes). */
  bodyLength: 10_000,
  /**
   * Maximum size of metadata, in bytes of compact JSON in UTF-8: for references and flags. Texts and files belong
   * elsewhere.
   */
  metadataBytes: 4_096,
  /**
   * Maximum depth of metadata, in levels; the object itself is level 1. It is limited because a client's parser may
   * recurse.
   */
  metadataLevels: 10,
  /** Maximum number of messages in one batch request. A multi-row INSERT of more rows is hardly faster. */
  batchSize: 1_000,
  /** Largest request body, in bytes: 1 MiB, the most that one SQS message holds. */
  requestBytes: 1_048_576,
  /**
   * Maximum number of object members and array items in one request body, at all depths: 30 for each message of a full
   * batch. Unknown members are ignored but still parsed. A megabyte of them takes up to 90 ms of processor time; a body
   * within this limit takes at most 15 ms.
   */
  bodyValues: 30_000,
  /** Maximum number of faults that one response names: enough for a form, and the response stays below 4 kB. */
  faults: 20,
  /** Page sizes of the lists. */
  page: { max: 1_000, default: 50 },
  /** Page sizes of a search, smaller because every match is highlighted. */
  searchPage: { max: 100, default: 20 },
  /** Page sizes of the lists of changes. A client that follows a chat reads a few at a time. */
  changesPage: { max: 1_000, default: 100 },
  /**
   * Maximum size of the JSON that followers get for one version, in bytes. A larger version is announced without its
   * changes, and clients read the changes. AppSync Events takes at most 240 kB for an event.
   */
  stepBytes: 200_000,
  /**
   * A page ends early when its items reach this many bytes, counted as Lambda sends them: as JSON in a JSON string. A
   * function's whole response holds at most 6,291,556 bytes. The difference is room for `pendingNumbers`, and for pages
   * that gzip cannot make smaller. Lambda sends a compressed page as Base64, which makes it a third longer.
   */
  pageBytes: 4_000_000,
  /**
   * Maximum number of pending numbers (accepted, but not stored yet) that a page of messages lists. A page with more
   * ends early, so that the response fits into Lambda's limit.
   */
  pendingNumbers: 10_000,
  /** Longest search text, in code points. */
  queryLength: 256,
  /** A search counts its matches exactly up to here; OpenSearch stops counting at the same number by default. */
  exactTotal: 10_000,
  /**
   * Maximum number of texts, and of characters in them, that a search in the SQLite index reads to check candidates. At
   * 4 µs a text, reading 5,000 texts takes half as long as the phrase query that is used otherwise. The characters are
   * limited because a text may be long.
   */
  candidates: { texts: 5_000, characters: 1_000_000 },
  /**
   * Maximum number of counts of matches that a process keeps for later searches in the SQLite index. One takes about
   * 1 kB.
   */
  keptCounts: 500,
  /** Longest Idempotency-Key, in characters. */
  idempotencyKeyLength: 255,
  /**
   * Minimum length of an Idempotency-Key for creating an application while no admin key is set, in characters, and the
   * minimum number of different characters in it. All callers then share one scope, so the key must be hard to guess.
   * 22 characters of base64url hold 128 bits. A random key passes the second rule: of 3,000,000,000,000 keys of 128
   * random bits in hexadecimal, one has fewer than 6 different digits.
   */
  unguessableKey: { length: 22, characters: 6 },
  /** How long an Idempotency-Key is remembered, in milliseconds. */
  idempotencyMs: 24 * 60 * 60 * 1_000,
  /**
   * How long a request holds its Idempotency-Key before another request may take it over, in milliseconds. This is
   * longer than a function can run, so the request that takes over knows that the first one is dead.
   */
  idempotencyLeaseMs: 30_000,
  /**
   * Longest record, in bytes. While SQS is unavailable, records are parked in DynamoDB, whose items hold 400 KB
   * including attribute names and keys; SQS takes 1 MiB. One write is at most 120 KB, so a record always has room for
   * at least two.
   */
  recordBytes: 350_000,
  /**
   * Times of the keys of the system secret on AWS, in milliseconds. A running function reads the keys again after
   * `refreshMs`, in the background of a request. It does not use keys that it read more than `cachedMs` ago. A new key
   * signs after `signsAfterMs`: by then every function has read it, even when their clocks differ by five minutes. An
   * earlier key verifies for `verifiesMs` after it last signed: a day, plus an hour.
   */
  systemSecret: { refreshMs: 300_000, cachedMs: 600_000, signsAfterMs: 900_000, verifiesMs: 25 * 60 * 60 * 1_000 },
  /**
   * How long a function on AWS assumes that an application is not deleted after it read the application, in
   * milliseconds. The contract refuses messages below a deleted application within a minute.
   */
  existingApplicationMs: 30_000,
  /**
   * Access tokens. `length`: maximum length of an access token, in characters, so that a request with the token and
   * other headers stays below the header limit. `chats`: how many it can be limited to. `lifetime`: in seconds.
   * `keptMs`: how long a function on AWS uses an application's access generation after it read it, in milliseconds. The
   * contract refuses an access token within 60 s after it was ended. The read of the generation also shows that the
   * application is not deleted, which is then assumed for `existingApplicationMs`. That is longer than `keptMs`, so a
   * create with an access token never needs a second read of the application. `remembered`: the number of opened access
   * tokens that a process remembers, 1 kB each or, with the longest sender and 100 chats, 10 kB.
   */
  accessToken: {
    length: 4_000,
    chats: 100,
    lifetime: { min: 60, max: 86_400, default: 3_600 },
    keptMs: 25_000,
    remembered: 1_000,
  },
  /**
   * The feed. `chats`: maximum number of chats that one stream follows. `heartbeatSeconds`: time between two heartbeats,
   * less than the minute after which proxies close a quiet connection. `unreadBytes`: a stream ends when its client left
   * more than this unread.
   */
  feed: { chats: 100, heartbeatSeconds: 30, unreadBytes: 1_000_000 },
  /**
   * Rows that a worker writes in one transaction: enough to be fast, few enough that other transactions do not wait
   * long.
   */
  rowsPerTransaction: 1_000,
  /**
   * Rows that a purge deletes in one transaction. It takes some 20 ms, and accepted writes are stored between
   * transactions.
   */
  purgeRows: 1_000,
  /** Changed chats and applications that the roll-up counts in one page. */
  rollupMarks: 1_000,
  /**
   * Size at which a delivery of the SQLite queue ends, in characters: no message is added after the one that reaches it.
   * A delivery exists several times in memory, because it is copied to the worker thread and decoded there. With 4 MB
   * instead of 1 MB, the process took 30 MB more while batches were accepted at full speed. 1 MB has some 5,000 messages
   * of 80 characters, or 1,000 of 900.
   */
  deliveryCharacters: 1_000_000,
  /**
   * Deliveries after which a queue makes a message a dead letter. It is high so that an outage of SQL does not turn
   * accepted writes into dead letters.
   */
  maxReceives: 1_000,
  /**
   * How long a queue keeps a message, in milliseconds: the maximum of SQS. After it, no late write to something deleted
   * can arrive.
   */
  queueRetentionMs: 14 * 24 * 60 * 60 * 1_000,
  /**
   * Time after which a missing number becomes void, in milliseconds since it was noticed, unless its write is parked or
   * a dead letter. A write that is neither can only be in the queue, and a queue keeps no message longer than
   * `queueRetentionMs`. The extra hour covers differences between clocks, and a worker that received the write at the
   * very end.
   */
  voidAfterMs: (14 * 24 + 1) * 60 * 60 * 1_000,
  /** Numbers that reconciliation compares at a time. Without their texts, they take some 100 kB. */
  numbersCompared: 1_000,
  /**
   * Time limits of SQL calls, in milliseconds. A healthy server connects within 10 ms and returns a query's result
   * within 10 ms. `reads`: a client gets its response within 3 s. `work`: a worker's batch takes a second or two, and
   * may wait out the first moments of a failover. `migration`: a migration may wait for another one, and may rebuild a
   * table.
   */
  sqlMs: {
    reads: { connectMs: 1_000, queryMs: 2_000 },
    work: { connectMs: 5_000, queryMs: 20_000 },
    migration: { connectMs: 5_000, queryMs: 60 * 60 * 1_000 },
  },
  /**
   * Time limits of calls to the search index, in milliseconds. `search`: short, because a client waits for it and for a
   * query to SQL in the same request. `work`: longer, because only a worker waits.
   */
  searchMs: { search: 1_500, work: 20_000 },
  /**
   * The feed on AWS AppSync Events. `eventsPerPublish`: maximum number of events in one request to publish
   * (https://docs.aws.amazon.com/appsync/latest/eventapi/publish-http.html). `eventBytes`: the maximum size of an event
   * (https://docs.aws.amazon.com/appsync/latest/eventapi/event-api-concepts.html). `publishMs`: the time limit of a
   * request, in milliseconds; one is assumed to take some 20 ms. `atOnce`: requests that a worker makes at the same time.
   */
  appsync: { eventsPerPublish: 5, eventBytes: 240_000, publishMs: 3_000, atOnce: 20 },
  /**
   * Maximum number of request ids in one log line, 37 bytes each: CloudWatch keeps lines of up to 256 KB, and people
   * read them.
   */
  requestIdsPerLine: 1_000,
  /** Time limit of a worker's batch, in milliseconds. A batch takes a second or two, and may wait for a database. */
  workerMs: 60_000,
  /**
   * How often a worker looks up which indexes it must write to, in milliseconds. The request takes 2 ms. A reindex
   * waits this long, and then for the batches in progress.
   */
  writeIndexesMs: 10_000,
  /**
   * Maximum size of the text in one SQL statement, in bytes. Escaping may double it, which still fits the smallest
   * default packet, MariaDB's 16 MB.
   */
  statementBytes: 4_000_000,
  /**
   * Maximum size of one bulk request, in bytes. OpenSearch recommends 5 to 15 MB, and small domains on AWS refuse more
   * than 10 MB.
   */
  bulkBytes: 8_000_000,
  /**
   * How long before its time limit a function responds with 503, in milliseconds. At the limit, Lambda ends it without
   * a response.
   */
  timeoutEarlyMs: 300,
  /** `Retry-After` for a message that is accepted but not stored yet, and for a key in flight, in seconds. */
  retryAfterSeconds: 1,
  /** `Retry-After` while a dependency is unavailable, in seconds. */
  unavailableRetryAfterSeconds: 5,
} as const;
