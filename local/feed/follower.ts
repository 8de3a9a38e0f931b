import { setTimeout as delay } from 'node:timers/promises';
import { idPart } from '../../lib/api/event-ids.ts';
import type { EventClient, StreamRequest } from '../../lib/api/feed.ts';
import { limits } from '../../lib/limits.ts';
import type { PreparedStep } from './prepared-step.ts';
import type { Missed } from './reads.ts';
import { type Subscriber, Subscription, type Topic } from './topic.ts';

/**
 * While a client has left more than this many bytes unread, its follower gets no more steps. So for a client that reads
 * nothing, the server keeps at most this many bytes and one step.
 */
const maxUnsentBytes = 65_536;
/**
 * Maximum size of the steps that are held for a subscription while it catches up, in bytes. Held steps are not copied:
 * live followers get the same bytes.
 */
const maxHeldBytes = 65_536;
/** Time before another attempt to read what a follower missed, in milliseconds. */
const retryMs = 1_000;

/** The code in the event that ends a stream. It tells the client the reason. */
export type EndCode =
  | 'access_token_expired'
  | 'access_token_invalid'
  | 'application_not_found'
  | 'chat_not_found'
  | 'too_slow'
  | 'stopping';

/**
 * Returns the event that ends a stream. With the number of a chat, it ends only the part of the stream that follows
 * this chat.
 */
export const endEvent = (code: EndCode, chat?: number): Buffer =>
  Buffer.from(`event: end\ndata: ${JSON.stringify({ code, ...(chat !== undefined && { chat_number: chat }) })}\n\n`);

/** What a follower needs of the hub. */
export interface FollowerHost {
  missed(topic: Topic, after: number): Promise<Missed | undefined>;
  /** Called once when the follower has ended. */
  ended(follower: Follower): void;
}

/**
 * One stream. It sends every step of what is followed exactly once and in order: what was missed is read from the store,
 * and what comes meanwhile is held.
 */
export class Follower implements Subscriber {
  readonly request: Pick<StreamRequest, 'access' | 'isSelf'>;
  readonly client: EventClient;
  readonly subscriptions: Subscription[];
  hasEnded = false;
  readonly #host: FollowerHost;
  /** Subscriptions that wait to catch up. */
  readonly #behind: Subscription[] = [];
  #isCatchingUp = false;
  /** Bytes of steps that the client did not get because it reads too slowly. */
  #missedBytes = 0;

  constructor(request: Follower['request'], client: EventClient, topics: Topic[], host: FollowerHost) {
    this.request = request;
    this.client = client;
    this.subscriptions = topics.map((topic) => new Subscription(this, topic));
    this.#host = host;
  }

  /**
   * Begins the stream, after every topic has its version.
   *
   * @param positions the versions after which the client wants steps, by topic
   */
  begin(positions: ReadonlyMap<Topic, number>): void {
    for (const subscription of this.subscriptions) subscription.position = positions.get(subscription.topic) as number;
    // A client that reconnects before the first event continues here, too.
    this.client.send(Buffer.from(`retry: 1000\nid: ${this.#id()}\n\n`));
    for (const subscription of this.subscriptions)
      if (subscription.position >= (subscription.topic.version as number)) subscription.state = 'live';
      else this.#fallBehind(subscription);
  }

  take(subscription: Subscription, step: PreparedStep): void {
    if (this.hasEnded || step.version <= subscription.position) return;
    if (subscription.state === 'catching up') hold(subscription, step);
    else if (subscription.state === 'behind') this.#countMissed(step);
    else if (this.client.unsent > maxUnsentBytes) {
      this.#fallBehind(subscription);
      this.#countMissed(step);
    } else this.#send(subscription, step);
  }

  /** Sends the versions of all that is followed, unless the client still has to read what was sent before. */
  heartbeat(): void {
    if (this.hasEnded || this.client.unsent > 0) return;
    const chats = this.subscriptions.filter(({ topic }) => topic.chat !== 0);
    const application = this.subscriptions.find(({ topic }) => topic.chat === 0);
    const data = {
      changes: Object.fromEntries(chats.map(({ topic, position }) => [topic.chat, position])),
      ...(application && { application: application.position }),
    };
    this.client.send(Buffer.from(`event: heartbeat\ndata: ${JSON.stringify(data)}\nid: ${this.#id()}\n\n`));
  }

  /** Ends the subscription to a deleted chat. The stream continues if anything else is followed. */
  endChat(subscription: Subscription): void {
    const at = this.subscriptions.indexOf(subscription);
    if (this.hasEnded || at < 0) return;
    const { chat } = subscription.topic;
    this.subscriptions.splice(at, 1);
    if (this.subscriptions.length === 0) this.#end(endEvent('chat_not_found', chat));
    else this.client.send(endEvent('chat_not_found', chat));
  }

  /** Ends the stream. */
  end(code: EndCode): void {
    if (!this.hasEnded) this.#end(endEvent(code));
  }

  /** Removes the follower without sending anything to its client. */
  close(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#host.ended(this);
  }

  #end(last: Buffer): void {
    this.close();
    this.client.end(last);
  }

  /** Returns the id that says what the client has. */
  #id(): string {
    return this.subscriptions.map(({ topic, position }) => idPart(topic.chat, position)).join('.');
  }

  #send(subscription: Subscription, step: PreparedStep): void {
    subscription.position = step.version;
    this.client.send(this.subscriptions.length === 1 ? step.alone() : step.withId(this.#id()));
  }

  /** Counts a step that a slow client will have to catch up with, and ends the stream when these are too many. */
  #countMissed(step: PreparedStep): void {
    if (this.#isCatchingUp) return;
    this.#missedBytes += step.size;
    if (this.client.unsent + this.#missedBytes > limits.feed.unreadBytes) this.end('too_slow');
  }

  #fallBehind(subscription: Subscription): void {
    subscription.state = 'behind';
    this.#behind.push(subscription);
    if (this.#behind.length === 1) void this.#catchUpAll();
  }

  async #catchUpAll(): Promise<void> {
    for (let next = this.#behind[0]; next && !this.hasEnded; next = this.#behind[0]) {
      await this.#drained();
      this.#isCatchingUp = true;
      this.#missedBytes = 0;
      await this.#catchUp(next);
      this.#isCatchingUp = false;
      this.#behind.shift();
    }
  }

  async #catchUp(subscription: Subscription): Promise<void> {
    const { topic } = subscription;
    subscription.state = 'catching up';
    while (this.#follows(subscription)) {
      // First hold what comes, then read, so that nothing is lost between the two.
      const heldFrom = topic.version as number;
      [subscription.held, subscription.heldBytes] = [[], 0];
      const read = await this.#host.missed(topic, subscription.position);
      if (!this.#follows(subscription)) return;
      if (!read) {
        await delay(retryMs);
        continue;
      }
      // The store was restored to an earlier state, so the client begins again.
      if (read.upTo < subscription.position) subscription.position = 0;
      else {
        for (const step of read.steps) if (step.version > subscription.position) this.#send(subscription, step);
        subscription.position = read.upTo;
      }
      await this.#drained();
      if (!this.#follows(subscription)) return;
      const { held, position } = subscription;
      if (!held || position < heldFrom) continue;
      for (const step of held) if (step.version > position) this.#send(subscription, step);
      // The hub passes every later step to `take`, which sends it directly from now on.
      subscription.held = undefined;
      subscription.state = 'live';
      return;
    }
  }

  #follows(subscription: Subscription): boolean {
    return !this.hasEnded && this.subscriptions.includes(subscription);
  }

  /** Resolves when the operating system has taken all bytes that were sent; never if the client has disconnected. */
  #drained(): Promise<void> {
    return new Promise((resolve) => this.client.onSent(resolve));
  }
}

function hold(subscription: Subscription, step: PreparedStep): void {
  if (!subscription.held) return;
  subscription.heldBytes += step.size;
  if (subscription.heldBytes > maxHeldBytes) subscription.held = undefined;
  else subscription.held.push(step);
}
