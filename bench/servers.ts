import { settle } from '../stack/choosing.ts';
import { stackFolder } from '../stack/folders.ts';
import { locked } from '../stack/lock.ts';
import { findServers } from '../stack/tools.ts';
import { bringUp } from '../stack/up.ts';
import { readWanted } from '../stack/wanted.ts';
import type { Servers } from './figure.ts';

/** The servers of this checkout's stack, for as long as they are needed. */
export class StackServers {
  readonly #say: (line: string) => void;
  #up: Promise<{ servers: Servers; end: () => Promise<void> }> | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Brings them up as `script/stack up --services-only` does, at the first call. */
  async get(): Promise<Servers> {
    this.#up ??= this.#bringUp();
    return (await this.#up).servers;
  }

  /** Ends what was brought up here. */
  async end(): Promise<void> {
    await (await this.#up)?.end();
  }

  async #bringUp() {
    findServers();
    const alone = <Done>(work: () => Promise<Done>) =>
      locked(stackFolder, work, () => this.#say('Another script/stack is at work for this checkout; waiting.'));
    return alone(async () => {
      const provider = await settle(readWanted({}, process.env), this.#say);
      const wasUp = (await provider.parts()).some(({ running }) => running);
      await bringUp(provider);
      const { mysqlUrl, mysqlPassword, opensearchUrl } = provider.servers;
      const mysql = new URL(mysqlUrl);
      mysql.password = mysqlPassword;
      return {
        servers: { mysqlUrl: mysql.href, opensearchUrl },
        end: async () => {
          if (!wasUp) await alone(() => provider.stop());
        },
      };
    });
  }
}
