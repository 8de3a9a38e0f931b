import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { UnusableDatabase } from '../lib/sqlite/database.ts';
import { checkWhole, type FilesSnapshot, openSnapshot } from './engine-files.ts';
import { LedgerMark } from './ledger-mark.ts';
import { syncFolder } from './sync-folder.ts';
import { copySystemSecret } from './system-secret.ts';

/**
 * A backup is given up when the journals of the running system have grown by this many bytes, so that it cannot fill
 * the disk. SQLite cannot reuse a journal while the backup reads its file.
 */
const mostJournalGrowth = 4 * 1024 ** 3;

/** Why a backup was not made, as a sentence. */
export class BackupProblem extends Error {}

/** What a backup is doing: copying the files, with its progress, or checking the copy. */
export type BackupStep = { kind: 'copying'; totalBytes: number; remainingBytes: number } | { kind: 'checking' };

/**
 * Copies a data folder into a new folder, while a system may be running on it. The copy holds everything that was
 * accepted before the call.
 *
 * The two files are copied as they are at one moment: each is read in a read transaction, and the commit numbers of
 * both prove that neither relies on a commit that the other lacks. The copy is made in a folder beside `target`,
 * checked as a whole, and renamed only then. So `target` is complete whenever it exists.
 *
 * @param onStep called at the beginning, after each 4 MB, and before the check. If it throws, the backup ends with its
 *   error
 * @throws BackupProblem, UnusableDatabase, UnusableSystemSecret, or the system's error; nothing of the copy is left then
 */
export async function backUp(dataDir: string, target: string, onStep: (step: BackupStep) => void): Promise<void> {
  if (existsSync(target)) throw new BackupProblem(`${target} exists already; name a new folder.`);
  // Only this user may enter the folder. Its name begins with a dot, because a crash may leave it incomplete: `*` then
  // does not match it, so a restore of the newest backup does not choose it.
  const unfinished = mkdtempSync(path.join(path.dirname(target), `.${path.basename(target)}.unfinished-`));
  try {
    await copyFolder(dataDir, unfinished, onStep);
    // It fails when the target has been created meanwhile and is not empty.
    renameSync(unfinished, target);
    syncFolder(path.dirname(target));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function copyFolder(dataDir: string, copy: string, onStep: (step: BackupStep) => void): Promise<void> {
  const snapshot = openSnapshot(dataDir);
  try {
    const { inconsistency, ledger, store } = snapshot;
    if (inconsistency) throw inconsistency;
    const folder = ledger.folder;
    if (folder === undefined || store.folder === undefined)
      throw new BackupProblem(`${dataDir} is of an earlier version: start chat-system on it once, then back it up.`);
    await copyFiles(snapshot, copy, onStep);
    const ledgerMark = new LedgerMark(copy, folder);
    ledgerMark.write(ledger.commitNumbers.own);
    ledgerMark.close();
  } finally {
    snapshot.close();
  }
  copySystemSecret(dataDir, copy);

  onStep({ kind: 'checking' });
  const copied = checkWhole(copy);
  for (const file of ['ledger', 'store'] as const) {
    const [here, there] = [copied[file], snapshot[file]];
    if (here.folder !== there.folder || here.commitNumbers.own !== there.commitNumbers.own)
      throw new UnusableDatabase(copied[`${file}Path`], 'differs from the file that it was copied from.');
  }
  for (const name of ['ledger.db', 'store.db', 'ledger.mark']) syncFile(path.join(copy, name));
  syncFolder(copy);
}

/** Copies the two databases. Each snapshot ends with its copy, so that SQLite can reuse the journal of the file. */
async function copyFiles(snapshot: FilesSnapshot, copy: string, onStep: (step: BackupStep) => void): Promise<void> {
  const { ledgerPath, storePath, ledgerDatabase, storeDatabase } = snapshot;
  const journals = () =>
    [ledgerPath, storePath].reduce(
      (sum, file) => sum + (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  const journalsBefore = journals();
  const files = [
    // Copy the ledger first, so that the accepting thread can soon reuse the ledger's journal.
    { database: ledgerDatabase, name: 'ledger.db', bytes: ledgerDatabase.bytes() },
    { database: storeDatabase, name: 'store.db', bytes: storeDatabase.bytes() },
  ];
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let laterBytes = totalBytes;
  onStep({ kind: 'copying', totalBytes, remainingBytes: totalBytes });
  for (const { database, name, bytes } of files) {
    laterBytes -= bytes;
    const target = path.join(copy, name);
    closeSync(openSync(target, 'wx', 0o600));
    await database.copyTo(target, (remaining) => {
      onStep({ kind: 'copying', totalBytes, remainingBytes: remaining + laterBytes });
      if (journals() - journalsBefore > mostJournalGrowth)
        throw new BackupProblem(
          'The system writes faster than the backup can copy, so the backup was given up before the journals fill the disk. Back up to a faster disk, or at a time with fewer writes.',
        );
    });
    database.close();
  }
}

function syncFile(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
