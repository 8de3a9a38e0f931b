import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** The only address that the servers listen on. */
export const loopback = '127.0.0.1';

/** Returns a loopback port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, loopback);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Returns whether something listens on the loopback port. */
export async function isTaken(port: number): Promise<boolean> {
  const probe = createServer().listen(port, loopback);
  try {
    await once(probe, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return true;
    throw error;
  }
  probe.close();
  await once(probe, 'close');
  return false;
}
