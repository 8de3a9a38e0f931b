import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The commit numbers of the two files of a data folder. A file's commit number counts its commits. Each commit also
 * stores the commit number of the other file that it depends on, which is already on the disk. So a file whose commit
 * number is below the one that the other file stores has lost commits: it is an older copy, or its journal was damaged
 * or lost.
 *
 * Both numbers are in the file's header, where SQLite leaves 32 bits each to the program: `user_version` is the file's
 * own commit number, `application_id` that of the other file. So every commit also writes page 1, which contains the
 * header. A table for the numbers would cost one page, too. Files written by earlier versions have 0 in both.
 *
 * 32 bits last for 50 days of 1,000 commits a second, so commit numbers wrap around, and only their distance counts.
 */
export interface CommitNumbers {
  own: number;
  other: number;
}

/**
 * The offset of `user_version` in the header, and the size of the header
 * (https://sqlite.org/fileformat.html#the_database_header).
 */
const ownOffset = 60;
const headerBytes = 100;

export const isLater = (commit: number, than: number): boolean => ((commit - than) | 0) > 0;
export const later = (a: number, b: number): number => (isLater(a, b) ? a : b);
export const nextCommit = (commit: number): number => (commit + 1) | 0;

/** The index of each file's commit number in the memory that the threads share. */
const indexes = { ledger: 0, store: 1 } as const;
export type PairedFile = keyof typeof indexes;

/**
 * The number of each file's newest commit that is on the disk, in memory that all threads that write the files share.
 * Commit numbers only rise.
 */
export class NewestCommits {
  readonly shared: SharedArrayBuffer;
  readonly #values: Int32Array;

  /** @param shared the memory of another thread's instance; without it, new memory */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#values = new Int32Array(shared);
  }

  get(file: PairedFile): number {
    return Atomics.load(this.#values, indexes[file]);
  }

  /**
   * Sets the number of a file's newest commit. The file has only one writer, so no other thread sets it at the same
   * time.
   */
  set(file: PairedFile, commit: number): void {
    Atomics.store(this.#values, indexes[file], commit);
  }
}

/** The file of the pair that a connection writes, and the newest commits of both. */
export interface Pairing {
  file: PairedFile;
  newestCommits: NewestCommits;
}

function readAt(file: number, length: number, position: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  return readSync(file, bytes, 0, length, position) === length ? bytes : undefined;
}

function withOpenFile<T>(path: string, read: (file: number) => T): T {
  const file = openSync(path, 'r');
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}

/** Returns the commit number in the database file, without its journal. No connection to the file may be open. */
export const checkpointedCommit = (path: string): number =>
  withOpenFile(path, (file) => readAt(file, headerBytes, 0)?.readInt32BE(ownOffset) ?? 0);

/**
 * Sizes in bytes of the header of a journal and of the header of each page in it
 * (https://sqlite.org/fileformat.html#the_wal_file).
 */
const journalHeaderBytes = 32;
const frameHeaderBytes = 24;

/**
 * Returns the commit number that a journal begins with, which is in its first copy of page 1. Returns undefined if the
 * journal has no copy of page 1 before its first page with a wrong checksum, where SQLite stops reading.
 */
export const firstCommitInJournal = (path: string): number | undefined =>
  withOpenFile(path, (file) => {
    const header = readAt(file, journalHeaderBytes, 0);
    if (!header) return undefined;
    const wordsAreBigEndian = (header.readUInt32BE(0) & 1) === 1;
    const pageBytes = header.readUInt32BE(8);
    const salts = header.subarray(16, 24);
    let sums = checksums(header.subarray(0, 24), wordsAreBigEndian, [0, 0]);
    if (!areAt(header, 24, sums)) return undefined;
    for (let at = journalHeaderBytes; ; at += frameHeaderBytes + pageBytes) {
      const frame = readAt(file, frameHeaderBytes + pageBytes, at);
      if (!frame?.subarray(8, 16).equals(salts)) return undefined;
      sums = checksums(frame.subarray(0, 8), wordsAreBigEndian, sums);
      sums = checksums(frame.subarray(frameHeaderBytes), wordsAreBigEndian, sums);
      if (!areAt(frame, 16, sums)) return undefined;
      if (frame.readUInt32BE(0) === 1) return frame.readInt32BE(frameHeaderBytes + ownOffset);
    }
  });

type Sums = [number, number];

/** Returns SQLite's checksum of a journal, continued over more bytes. Their number must be a multiple of 8. */
function checksums(bytes: Buffer, bigEndian: boolean, [first, second]: Sums): Sums {
  const word = (at: number) => (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + word(at) + second) >>> 0;
    second = (second + word(at + 4) + first) >>> 0;
  }
  return [first, second];
}

const areAt = (bytes: Buffer, at: number, [first, second]: Sums): boolean =>
  bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
