import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

const fileName = 'ledger.mark';
const format = /^([0-9a-f]{32}) (-?\d{1,10}) *\n$/;

/** The number of a commit of ledger.db, and the id of its data folder. */
export interface Reached {
  folder: string;
  commit: number;
}

/**
 * A file beside ledger.db with the number of its last commit. It shows that the ledger has lost commits when nothing
 * else can: when the ledger's journal is damaged or missing, and the store had not received what was in it.
 *
 * It is written only after the commit is on the disk, and it is not synced, so writing it takes only some 3 µs per
 * commit. It survives every end of the process. After a power cut it may be some seconds behind the ledger, but never
 * ahead of it.
 */
export class LedgerMark {
  readonly #file: number;
  readonly #folder: string;

  constructor(dataDir: string, folder: string) {
    const file = path.join(dataDir, fileName);
    this.#folder = folder;
    this.#file = openSync(file, existsSync(file) ? 'r+' : 'w+');
  }

  /** Reads the file of a data folder. Returns undefined if there is none or it cannot be read. */
  static read(dataDir: string): Reached | undefined {
    const file = path.join(dataDir, fileName);
    // Opening a pipe would block the process.
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
    const [, folder, commit] = format.exec(readFileSync(file, 'latin1')) ?? [];
    return folder === undefined ? undefined : { folder, commit: Number(commit) };
  }

  write(commit: number): void {
    writeSync(this.#file, `${this.#folder} ${String(commit).padEnd(11)}\n`, 0, 'latin1');
  }

  close(): void {
    closeSync(this.#file);
  }
}
