import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

const fileName = 'ledger.mark';
const format = /^([0-9a-f]{32}) (-?\d{1,10}) *\n$/;

/** A generation of ledger.db, and the id of the data folder that it is about. */
interface Reached {
  folder: string;
  generation: number;
}

/**
 * A file beside ledger.db with the generation that its commits have reached. It tells that the ledger lost commits when
 * nothing else can: when its journal is damaged or gone, and the store has not got yet what was in it.
 *
 * It is written without a sync, which costs some 3 µs a commit, and only once the commit is on the disk. So it survives
 * whatever ends the process; after a power cut it may be some seconds behind the ledger, and never is ahead of it.
 */
export class LedgerMark {
  readonly #file: number;
  readonly #folder: string;

  constructor(dataDir: string, folder: string) {
    const file = path.join(dataDir, fileName);
    this.#folder = folder;
    this.#file = openSync(file, existsSync(file) ? 'r+' : 'w+');
  }

  /** What the file of a data folder says; undefined where there is none, or none that can be read. */
  static read(dataDir: string): Reached | undefined {
    const file = path.join(dataDir, fileName);
    // A pipe would block the start.
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
    const [, folder, generation] = format.exec(readFileSync(file, 'latin1')) ?? [];
    return folder === undefined ? undefined : { folder, generation: Number(generation) };
  }

  write(generation: number): void {
    writeSync(this.#file, `${this.#folder} ${String(generation).padEnd(11)}\n`, 0, 'latin1');
  }

  close(): void {
    closeSync(this.#file);
  }
}
