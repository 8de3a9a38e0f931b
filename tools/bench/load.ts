import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const script = path.join(import.meta.dirname, 'load.lua');

export interface Load {
  /** The target. Each connection requests the paths in turn. */
  origin: string;
  paths: string[];
  /** The body of each request, which is then a POST; without one, a GET. */
  body?: unknown;
  connections: number;
  seconds: number;
  /** The mean time that a connection waits before each request, in milliseconds (default: 0). */
  pauseMs?: number;
}

const outcome = z.object({
  requests: z.int().min(1),
  failed: z.literal(0, 'some requests failed'),
  seconds: z.number().positive(),
  medianMs: z.number(),
  p99Ms: z.number(),
});
export type Outcome = z.output<typeof outcome> & { perSecond: number };

/**
 * Sends requests for the given time; each connection sends one after the other. The generator is wrk, because it
 * needs little CPU time and leaves the processors to the measured server.
 *
 * @throws Error when a request failed or its response was an error
 */
export async function load({ origin, paths, body, connections, seconds, pauseMs = 0 }: Load): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-load-'));
  try {
    const [pathFile, bodyFile] = [path.join(folder, 'paths'), path.join(folder, 'body')];
    writeFileSync(pathFile, paths.map((each) => `${each}\n`).join(''));
    writeFileSync(bodyFile, body === undefined ? '' : JSON.stringify(body));
    const { stdout } = await promisify(execFile)('wrk', [
      ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`, '--script', script],
      // With many connections, a request may take longer than the 2 s after which wrk counts it as failed.
      ...['--timeout', `${Math.max(seconds, 10)}s`],
      ...[origin, '--', pathFile, bodyFile, String(pauseMs)],
    ]);
    const result = outcome.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    return { ...result, perSecond: result.requests / result.seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
