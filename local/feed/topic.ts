import type { Parent } from '../../lib/model/keys.ts';
import type { PreparedStep } from './prepared-step.ts';

/** A chat, or the list of an application's chats, that somebody follows. */
export class Topic {
  readonly parent: Parent;
  /** The number of the chat, or 0. */
  readonly chat: number;
  readonly subscriptions = new Set<Subscription>();
  /** Every step up to this version was given to all subscriptions. Undefined until it was read. */
  version: number | undefined;
  /** The highest version that was announced. */
  announced = 0;
  /** Whether its steps are being given to its subscriptions. */
  isBusy = false;
  /** When its version was last read from the store, in milliseconds of `performance.now()`. */
  checkedAt = 0;

  constructor(token: string, chat: number) {
    this.parent = chat === 0 ? { token } : { token, chat };
    this.chat = chat;
  }
}

/** The follower that a subscription belongs to. */
export interface Subscriber {
  /** Takes a step. The steps of a topic come in order. */
  take(subscription: Subscription, step: PreparedStep): void;
  /** Called when the chat was deleted. */
  endChat(subscription: Subscription): void;
}

/**
 * What a follower has of a topic.
 *
 * - `live`: everything. It gets each step at once.
 * - `behind`: it waits to catch up.
 * - `catching up`: what it missed is being read. Steps that come meanwhile are held.
 */
export class Subscription {
  readonly follower: Subscriber;
  readonly topic: Topic;
  /** The follower was sent everything up to this version, and nothing after it. */
  position = 0;
  state: 'live' | 'behind' | 'catching up' = 'behind';
  /** The steps that came since the read began; undefined if they were too many. */
  held: PreparedStep[] | undefined;
  heldBytes = 0;

  constructor(follower: Subscriber, topic: Topic) {
    this.follower = follower;
    this.topic = topic;
  }
}
