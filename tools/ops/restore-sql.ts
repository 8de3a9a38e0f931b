import { count, seconds } from '../cli/numbers.ts';
import { CommandProblem, wrongUsage } from '../cli/problem.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

/** Replaces the content of SQL with that of a restored database. */
export async function restoreSql(
  { copyOfSql }: Pick<OpsServices, 'copyOfSql'>,
  url: string,
  { yes }: { yes?: boolean },
  interruption: Pick<Interruption, 'isWanted'>,
): Promise<void> {
  if (!copyOfSql) throw wrongUsage('restore-sql needs --aws or --stack: the database of a data folder is a file.');
  if (!URL.canParse(url) || new URL(url).protocol !== 'mysql:')
    throw wrongUsage('The address must be a URL such as mysql://user@host:3306/database?ssl=Amazon%20RDS.');
  if (!yes) throw wrongUsage('This deletes everything in SQL and copies the restored database: add --yes.');
  const began = Date.now();
  const progress = new Progress('rows', 0);
  let copied = 0;
  try {
    for await (const { kind, rows } of copyOfSql(url)) {
      progress.advance(rows);
      if (kind === 'copied') copied += rows;
      if (await interruption.isWanted())
        throw new CommandProblem('Stopped. SQL is incomplete: run the same command again.', { exitStatus: 130 });
    }
  } finally {
    progress.stop();
  }
  console.log(`${count(copied, 'row')} copied (${seconds(Date.now() - began)})`);
}
