import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { ExistingApplications } from '../../lib/ledger/dynamodb/existing-applications.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { openClient } from './calls.ts';

/** The variable of the ledger's table. */
export const tableVariables = { LEDGER_TABLE: z.string().check(z.minLength(1)) };

interface LedgerTable {
  table: DynamodbTable;
  /** What is known of the applications in it. */
  applications: ExistingApplications;
}

const opened = new Map<string, LedgerTable>();

/** Opens the ledger's table. The services of a function share it, with its connections. */
export function openLedgerTable({ LEDGER_TABLE }: { LEDGER_TABLE: string }): LedgerTable {
  const known = opened.get(LEDGER_TABLE);
  if (known) return known;
  // The SDK must not retry. DynamodbTable decides for each call whether it may be repeated.
  const dynamodb = openClient((settings) => new DynamoDBClient({ ...settings, maxAttempts: 1 }));
  const table = new DynamodbTable(dynamodb, LEDGER_TABLE);
  const created = { table, applications: new ExistingApplications(table, Date.now) };
  opened.set(LEDGER_TABLE, created);
  return created;
}
