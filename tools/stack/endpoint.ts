import { BlockList, isIP } from 'node:net';
import { CommandProblem } from '../cli/problem.ts';

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet('127.0.0.0', 8);
loopbackAddresses.addAddress('::1', 'ipv6');

/**
 * Returns whether the URL points to this machine: to `localhost` or a loopback address, not to a name that only looks
 * like one.
 */
export function isLoopbackUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  if (!['http:', 'https:'].includes(protocol) || username || password) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : loopbackAddresses.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Checks that the endpoint is on this machine, because the credentials and data of an emulator must not leave it.
 *
 * @throws CommandProblem when the endpoint is not on this machine
 */
export function requireLoopback(endpoint: string): void {
  if (!isLoopbackUrl(endpoint))
    throw new CommandProblem(
      `${endpoint} is not on this machine, so nothing is deployed there: use an endpoint at localhost or 127.0.0.1, or deploy to AWS with script/stack deploy --aws.`,
    );
}
