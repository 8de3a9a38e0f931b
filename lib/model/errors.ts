/**
 * A failure that the caller of lib must expect. Every other error is a bug.
 *
 * lib/api/problems.ts maps each class to the problem that a client gets. The messages here are for operators and logs;
 * clients never see them.
 */
export abstract class DomainError extends Error {
  /** The name of the class. It is a literal because a bundle may rename classes. */
  abstract override readonly name: string;
  /**
   * Whether the call is known to have changed nothing. If false, it may have applied all, a part or nothing of the
   * change.
   */
  abstract readonly appliedNothing: boolean;
}

/** The missing thing: an application or, with its number, a chat or message. */
type Missing = [what: 'application'] | [what: 'chat' | 'message', number: number];

/** The application, chat or message does not exist or was deleted. Nothing was applied. */
export class NotFound extends DomainError {
  override readonly name = 'NotFound';
  override readonly appliedNothing = true;
  readonly missing: Missing;

  constructor(...missing: Missing) {
    super(`Not found: ${missing.join(' ')}`);
    this.missing = missing;
  }
}

/** The idempotency key was first used with a different payload. Nothing was applied. */
export class KeyReused extends DomainError {
  override readonly name = 'KeyReused';
  override readonly appliedNothing = true;

  constructor() {
    super('The idempotency key was first used with a different payload');
  }
}

/** An earlier call with the same idempotency key has not finished, and may succeed. This call applied nothing. */
export class KeyInFlight extends DomainError {
  override readonly name = 'KeyInFlight';
  override readonly appliedNothing = true;

  constructor() {
    super('An earlier call with this idempotency key has not finished');
  }
}

/** The create needs more numbers than the parent has left, up to `limits.highestNumber`. Nothing was applied. */
export class NumbersUsedUp extends DomainError {
  override readonly name = 'NumbersUsedUp';
  override readonly appliedNothing = true;
  readonly parent: 'application' | 'chat';

  constructor(parent: 'application' | 'chat') {
    super(`The ${parent} has too few numbers left`);
    this.parent = parent;
  }
}

/** The edited thing already has `limits.highestRevision`. Nothing was applied. */
export class RevisionsUsedUp extends DomainError {
  override readonly name = 'RevisionsUsedUp';
  override readonly appliedNothing = true;
  readonly what: 'application' | 'chat' | 'message';

  constructor(what: 'application' | 'chat' | 'message') {
    super(`The ${what} has no revision left`);
    this.what = what;
  }
}

/** A server failed, not this one request: any other request would probably fail too. Retrying later can succeed. */
export abstract class DependencyFailure extends DomainError {
  constructor(problem: string, cause: unknown) {
    super(cause instanceof Error ? `${problem}: ${cause.message}` : problem, { cause });
  }
}

/** A dependency rejected the call because of its rate, and nothing was applied. */
export class Throttled extends DependencyFailure {
  override readonly name = 'Throttled';
  override readonly appliedNothing = true;

  constructor(cause: unknown) {
    super('A dependency throttles', cause);
  }
}

/** A dependency does not respond, or the outcome is unknown: a write may still have been accepted. */
export class Unavailable extends DependencyFailure {
  override readonly name = 'Unavailable';
  override readonly appliedNothing = false;

  constructor(cause: unknown) {
    super('A dependency is unavailable', cause);
  }
}

/**
 * A read takes too long for the thread that accepts requests. The embedded host then runs it in another process, so no
 * client sees this error.
 */
export class TooLong extends Error {
  override readonly name = 'TooLong';

  constructor() {
    super('The read takes too long for this thread');
  }
}
