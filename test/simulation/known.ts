/** A change as the API returns it. */
export interface Change {
  change: number;
  type?: string;
  message?: { number: number; body?: string };
  chat?: { number: number; name?: string | null };
}

/** What a follower knows of one chat or, without `chat`, of the chats of an application. */
export class Known {
  readonly token: string;
  readonly chat: number | undefined;
  /** The last change of each message or chat, by its number. */
  readonly changes = new Map<number, Change>();
  /** The promises that were broken. */
  readonly violations: string[] = [];
  /** The version that the follower has. */
  version = 0;

  constructor(token: string, chat: number | undefined) {
    this.token = token;
    this.chat = chat;
  }

  /** Takes the changes that come next, up to a version. */
  take(changes: Change[], version: number): void {
    if (version < this.version) this.broke(`went back from version ${this.version} to ${version}`);
    for (const each of changes) this.#take(each);
    this.version = version;
  }

  broke(promise: string): void {
    const what = this.chat === undefined ? this.token : `${this.token}/${this.chat}`;
    this.violations.push(`the follower of ${what} ${promise}`);
  }

  #take(change: Change): void {
    const { number } = (change.message ?? change.chat) as { number: number };
    const former = this.changes.get(number);
    const version = change.change;
    if (version <= this.version) this.broke(`got version ${version} after version ${this.version}`);
    if (
      former &&
      former.change !== version &&
      JSON.stringify({ ...former, change: version }) === JSON.stringify(change)
    )
      this.broke(`was told in version ${version} of a change of ${number} that version ${former.change} had made`);
    this.changes.set(number, change);
  }
}
