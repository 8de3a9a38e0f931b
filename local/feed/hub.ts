import { setImmediate as nextTurn } from 'node:timers/promises';
import { log, logEvents } from '../../functions/runtime/observe/log.ts';
import type { EventClient, StreamRequest } from '../../lib/api/feed.ts';
import { limits } from '../../lib/limits.ts';
import type { Version } from '../../lib/model/version.ts';
import { CatchUps } from './catch-ups.ts';
import { endEvent, Follower, type FollowerHost } from './follower.ts';
import type { PreparedStep } from './prepared-step.ts';
import type { FeedReads } from './reads.ts';
import { Rounds } from './rounds.ts';
import { Topic } from './topic.ts';

/** How many subscriptions of a topic get a small step before another topic is served. Each takes 10 µs. */
const deliveriesAtOnce = 50;
/** Sending this many bytes takes as long as one delivery of a small step, so a step of this size counts as two. */
const bytesPerDelivery = 10_000;
/** Time after which the hub waits for the next turn of the event loop, in milliseconds. */
const turnMs = 2;
/**
 * Maximum number of versions that are read at a time. They are kept until all followers have them, at up to 200 kB
 * each.
 */
const maxVersions = 10;
/** Time before another attempt after the store could not be read, in milliseconds. */
const retryMs = 1_000;
/**
 * Time between two checks of an application: whether it was deleted, and whether its access tokens were ended. The
 * contract allows 60 s.
 */
const checkMs = 5_000;
const heartbeatMs = limits.feed.heartbeatSeconds * 1_000;

/** How the hub shares this thread with other work. */
interface Pace {
  deliveriesAtOnce: number;
  turnMs: number;
  nextTurn: () => Promise<unknown>;
}

/** An application that somebody follows. */
interface Application {
  token: string;
  /**
   * The followed chats by their numbers, and the list of chats as number 0. The list is always there, because it tells
   * which chats are deleted.
   */
  topics: Map<number, Topic>;
  followers: Set<Follower>;
  host: FollowerHost;
}

/**
 * Sends every step of a followed chat, or of a followed list of chats, to its followers. A step is read once for all.
 *
 * Announcements only tell it when to read; it sends what the store then has. A version that cannot be read yet, or that
 * was not announced, is sent with the next one. So an announcement may come early, late, twice or never.
 */
export class Hub {
  readonly #reads: FeedReads;
  readonly #pace: Pace;
  readonly #catchUps: CatchUps;
  readonly #applications = new Map<string, Application>();
  /** Topics with versions that were not sent yet, in the order in which they are served. */
  readonly #due = new Set<Topic>();
  #isDelivering = false;
  #hasStopped = false;
  #subscriptions = 0;
  readonly #heartbeats: Rounds<Follower>;
  readonly #checks: Rounds<Application>;

  /** @param pace only tests set it */
  constructor(reads: FeedReads, pace: Partial<Pace> = {}) {
    this.#reads = reads;
    this.#pace = { deliveriesAtOnce, turnMs, nextTurn, ...pace };
    this.#catchUps = new CatchUps(async (parent, after) => {
      try {
        return await reads.missed(parent, after);
      } catch (error) {
        log.error(logEvents.feedFailed, { error: error as Error });
        return undefined;
      }
    });
    this.#heartbeats = new Rounds(heartbeatMs, (follower) => this.#visit(follower));
    this.#checks = new Rounds(checkMs, (application) => void this.#check(application));
  }

  /** Schedules the delivery of these versions to their followers. Called after they were committed. */
  announce(versions: Version[]): void {
    for (const { token, chat = 0, version } of versions) {
      const topic = this.#applications.get(token)?.topics.get(chat);
      if (topic) this.#noteVersion(topic, version);
    }
  }

  /** The number of chats and lists that are followed, each counted for each of its followers. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** The number of open streams. */
  get followers(): number {
    let count = 0;
    for (const { followers } of this.#applications.values()) count += followers.size;
    return count;
  }

  /** Adds a follower. */
  async follow(request: StreamRequest, client: EventClient): Promise<void> {
    if (this.#hasStopped) {
      client.end(endEvent('stopping'));
      return;
    }
    const { token, followed } = request;
    const application = this.#applicationOf(token);
    const topics = new Map([...followed.chats].map(([chat, after]) => [this.#topicOf(application, chat), after]));
    if (followed.application) topics.set(this.#topicOf(application, 0), followed.application.after);
    const { access, isSelf } = request;
    const kept = { isSelf, access: access && { generation: access.generation, expiresAt: access.expiresAt } };
    const follower = new Follower(kept, client, [...topics.keys()], application.host);
    // From now on, announcements reach the topics.
    application.followers.add(follower);
    for (const subscription of follower.subscriptions) subscription.topic.subscriptions.add(subscription);
    this.#subscriptions += follower.subscriptions.length;
    client.onClosed(() => follower.close());
    try {
      const positions = new Map<Topic, number>();
      await this.#readVersion(this.#topicOf(application, 0));
      for (const [topic, after] of topics) {
        const version = await this.#readVersion(topic);
        // A client with a version that does not exist begins again, because the store was restored from a backup.
        positions.set(topic, after === undefined ? version : after > version ? 0 : after);
      }
      const generation = await this.#reads.generation(token);
      // The version of the list of chats was read above, so a chat that is deleted from now on is in a later step of that
      // list.
      const deleted = await this.#reads.deletedChats(token, [...followed.chats.keys()]);
      if (follower.hasEnded) return;
      follower.begin(positions);
      for (const chat of deleted) this.#endChat(token, chat);
      // Do not keep a stream that has ended meanwhile, for example because everything that it follows was deleted.
      if (follower.hasEnded) return;
      this.#heartbeats.add(follower);
      this.#expireSoon(follower);
      this.#requireAccess(follower, generation);
    } catch (error) {
      // Without an end event, the client reconnects.
      log.error(logEvents.feedFailed, { error: error as Error });
      follower.close();
      client.end(Buffer.alloc(0));
    }
  }

  /** Ends all streams, and every stream that begins from now on. */
  stop(): void {
    this.#hasStopped = true;
    for (const { followers } of this.#applications.values()) for (const follower of followers) follower.end('stopping');
  }

  #applicationOf(token: string): Application {
    let application = this.#applications.get(token);
    if (!application) {
      const created: Application = {
        token,
        topics: new Map(),
        followers: new Set(),
        host: {
          missed: ({ parent }, after) => this.#catchUps.missed(parent, after),
          ended: (follower) => this.#remove(created, follower),
        },
      };
      application = created;
      this.#applications.set(token, application);
      this.#checks.add(application);
    }
    return application;
  }

  #topicOf({ token, topics }: Application, chat: number): Topic {
    let topic = topics.get(chat);
    if (!topic) {
      topic = new Topic(token, chat);
      topics.set(chat, topic);
    }
    return topic;
  }

  #remove(application: Application, follower: Follower): void {
    this.#heartbeats.delete(follower);
    application.followers.delete(follower);
    this.#subscriptions -= follower.subscriptions.length;
    for (const subscription of follower.subscriptions) this.#unsubscribe(application, subscription.topic, follower);
    if (application.followers.size > 0) return;
    this.#checks.delete(application);
    this.#applications.delete(application.token);
  }

  #unsubscribe({ topics }: Application, topic: Topic, follower: Follower): void {
    for (const subscription of follower.subscriptions)
      if (subscription.topic === topic) topic.subscriptions.delete(subscription);
    if (topic.subscriptions.size === 0 && topic.chat !== 0 && topics.get(topic.chat) === topic)
      topics.delete(topic.chat);
  }

  /** Reads the version of a topic, and sends the versions that were not announced. */
  async #readVersion(topic: Topic): Promise<number> {
    topic.checkedAt = performance.now();
    const version = await this.#reads.version(topic.parent);
    topic.version ??= version;
    this.#noteVersion(topic, version);
    return version;
  }

  #noteVersion(topic: Topic, version: number): void {
    topic.announced = Math.max(topic.announced, version);
    if (topic.version === undefined || topic.announced <= topic.version || topic.isBusy) return;
    this.#due.add(topic);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    void this.#deliverAll();
  }

  /** Serves the due topics round-robin: between two parts of a topic with many followers, it serves other topics. */
  async #deliverAll(): Promise<void> {
    const deliveries: AsyncGenerator<void>[] = [];
    let began = performance.now();
    while (this.#due.size > 0 || deliveries.length > 0) {
      for (const topic of this.#due) {
        this.#due.delete(topic);
        topic.isBusy = true;
        deliveries.push(this.#deliver(topic));
      }
      const delivery = deliveries.shift() as AsyncGenerator<void>;
      const { done } = await delivery.next();
      if (!done) deliveries.push(delivery);
      if (performance.now() - began < this.#pace.turnMs) continue;
      await this.#pace.nextTurn();
      began = performance.now();
    }
    this.#isDelivering = false;
  }

  /** Sends a topic's steps, a part of its followers at a time. */
  async *#deliver(topic: Topic): AsyncGenerator<void> {
    try {
      while (topic.announced > (topic.version as number)) {
        const after = topic.version as number;
        const upTo = Math.min(await this.#reads.version(topic.parent), after + maxVersions);
        // The version was announced too early. The next announcement, or the next visit of a follower, reads it.
        if (upTo <= after) break;
        for (const step of await this.#reads.steps(topic.parent, after, upTo)) {
          topic.version = step.version;
          yield* this.#give(topic, step);
        }
        topic.version = upTo;
        for (const subscription of topic.subscriptions)
          if (subscription.state === 'live') subscription.position = Math.max(subscription.position, upTo);
      }
    } catch (error) {
      log.error(logEvents.feedFailed, { error: error as Error });
      setTimeout(() => this.#noteVersion(topic, topic.announced), retryMs).unref();
    } finally {
      topic.isBusy = false;
    }
  }

  async *#give(topic: Topic, step: PreparedStep): AsyncGenerator<void> {
    let given = 0;
    for (const subscription of topic.subscriptions) {
      subscription.follower.take(subscription, step);
      given += 1 + step.size / bytesPerDelivery;
      if (given < this.#pace.deliveriesAtOnce) continue;
      given = 0;
      yield;
    }
    for (const chat of step.deletedChats) this.#endChat(topic.parent.token, chat);
  }

  #endChat(token: string, chat: number): void {
    const application = this.#applications.get(token);
    const topic = application?.topics.get(chat);
    if (!application || !topic) return;
    for (const subscription of topic.subscriptions) {
      topic.subscriptions.delete(subscription);
      this.#subscriptions--;
      subscription.follower.endChat(subscription);
    }
    application.topics.delete(chat);
  }

  /** Sends a heartbeat, and reads the versions that were not read for 30 s. Called every 30 s for each follower. */
  #visit(follower: Follower): void {
    follower.heartbeat();
    this.#expireSoon(follower);
    const before = performance.now() - heartbeatMs;
    for (const { topic } of follower.subscriptions)
      if (topic.checkedAt < before)
        this.#readVersion(topic).catch((error: Error) => log.error(logEvents.feedFailed, { error }));
  }

  /** Ends the follower when its access token expires, if that is before the next visit. */
  #expireSoon(follower: Follower): void {
    const { access } = follower.request;
    if (!access) return;
    const left = access.expiresAt - Date.now();
    if (left <= heartbeatMs) setTimeout(() => follower.end('access_token_expired'), Math.max(left, 0)).unref();
  }

  /** Ends the followers of a deleted application, and those whose access token was ended. */
  async #check({ token, followers }: Application): Promise<void> {
    try {
      const generation = await this.#reads.generation(token);
      for (const follower of followers) this.#requireAccess(follower, generation);
    } catch (error) {
      log.error(logEvents.feedFailed, { error: error as Error });
    }
  }

  #requireAccess(follower: Follower, generation: number | undefined): void {
    const { access, isSelf } = follower.request;
    if (generation === undefined) follower.end(isSelf ? 'access_token_invalid' : 'application_not_found');
    else if (access && access.generation !== generation) follower.end('access_token_invalid');
  }
}
