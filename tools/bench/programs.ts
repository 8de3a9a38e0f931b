import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** A reference program that runs in its own process. */
export interface Program {
  /** The message that it sent when it was ready, such as its port. */
  ready: unknown;
  pid: number;
  stop: () => Promise<void>;
}

/**
 * Starts a program of `references/`. Resolves when it has sent its first message.
 *
 * @throws Error when it exits before that
 */
export async function startProgram(name: string, ...args: string[]): Promise<Program> {
  const child = fork(path.join(import.meta.dirname, 'references', `${name}.ts`), args);
  const ended = once(child, 'exit');
  const ready = await Promise.race([
    once(child, 'message').then(([message]) => message),
    ended.then(([status]) => Promise.reject(new Error(`${name} ended with status ${status}`))),
  ]);
  return {
    ready,
    pid: child.pid as number,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
