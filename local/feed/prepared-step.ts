import { idPart } from '../../lib/api/event-ids.ts';

/** A version as followers get it. Its bytes are made once for all followers. */
export class PreparedStep {
  readonly version: number;
  /** The numbers of the chats that the version deleted, if it is a version of an application's chats. */
  readonly deletedChats: readonly number[];
  /** The chat, or 0 for the application's chats. */
  readonly #chat: number;
  readonly #json: string;
  #withoutId: Buffer | undefined;
  #alone: Buffer | undefined;

  constructor(chat: number, version: number, json: string, deletedChats: readonly number[] = []) {
    this.#chat = chat;
    this.version = version;
    this.#json = json;
    this.deletedChats = deletedChats;
  }

  /** Returns the event for a follower that follows only this chat or list. */
  alone(): Buffer {
    this.#alone ??= Buffer.from(this.#event(`id: ${idPart(this.#chat, this.version)}\n\n`));
    return this.#alone;
  }

  /** Returns the event for a follower of several chats, whose id has the versions of all. */
  withId(id: string): Buffer {
    this.#withoutId ??= Buffer.from(this.#event(''));
    return Buffer.concat([this.#withoutId, Buffer.from(`id: ${id}\n\n`)]);
  }

  /** The approximate size of the event, in bytes. */
  get size(): number {
    return (this.#alone ?? this.#withoutId)?.length ?? this.#json.length;
  }

  // JSON has no line ends, so one line of `data` holds it.
  #event(end: string): string {
    return `event: changes\ndata: ${this.#json}\n${end}`;
  }
}
