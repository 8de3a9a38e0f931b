import { ledgerVariables, openLedgerTable } from './ledger-table.ts';
import { provider } from './provider.ts';

/** The accepted writes that wait in the ledger's table until the store queue accepts them. */
export const parkedWrites = provider({
  variables: ledgerVariables,
  create: (environment) => openLedgerTable(environment).parked,
});
