import { table } from '../cli/table.ts';
import { apiResponds, type Deployment } from './deployment.ts';
import type { Part } from './provider.ts';

const headings = ['part', 'state', 'address', 'pid', 'data', 'log'];

/**
 * Prints a table of the servers and the API.
 *
 * @returns whether all of them are running
 */
export async function printStatus(parts: Part[], deployment: Deployment | undefined): Promise<boolean> {
  const api: Part = {
    name: 'api',
    running: deployment !== undefined && (await apiResponds(deployment)),
    address: deployment?.url ?? 'not deployed',
  };
  const all = [...parts, api];
  const rows = all.map(({ name, running, address, pid, data, log }) => [
    name,
    running ? 'running' : 'stopped',
    address,
    String(pid ?? '-'),
    data ?? '-',
    log ?? '-',
  ]);
  for (const line of table(headings, rows)) console.log(line);
  return all.every(({ running }) => running);
}
