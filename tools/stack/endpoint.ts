import { BlockList, isIP } from 'node:net';
import { CommandProblem } from '../cli/problem.ts';

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet('127.0.0.0', 8);
loopbackAddresses.addAddress('::1', 'ipv6');

/** Whether the URL leads to this very machine: `localhost` or a loopback address, and nothing that only looks like it. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  if (!['http:', 'https:'].includes(protocol) || username || password) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : loopbackAddresses.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** @throws CommandProblem when the endpoint is not on this machine: the emulators' credentials and data belong nowhere else */
export function requireLoopback(endpoint: string): void {
  if (!isLoopback(endpoint))
    throw new CommandProblem(
      `${endpoint} is not on this machine, so nothing is deployed there: use an endpoint at localhost or 127.0.0.1, or deploy to AWS itself by script/stack deploy --aws.`,
    );
}
