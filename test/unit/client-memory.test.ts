import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClientMemory, type TrackedConnection } from '../../local/client-memory.ts';

describe('memory for clients', () => {
  let ended: string[];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval'] });
    ended = [];
  });
  afterEach(() => void vi.useRealTimers());

  const connection = (name: string): TrackedConnection => ({
    bytes: 0,
    since: 0,
    progressAt: 0,
    moved: 0,
    end: () => void ended.push(name),
  });
  /** Receives bytes in pieces, one each half second. */
  const receive = (memory: ClientMemory, to: TrackedConnection[], bytes: number) => {
    for (const each of to) memory.keep(each, bytes, bytes);
  };

  test('clients that send only a few bytes at a time are disconnected before one that sends a large body steadily', () => {
    const memory = new ClientMemory();
    const trickling = Array.from({ length: 2_150 }, (_, i) => connection(`trickling ${i}`));
    receive(memory, trickling, 16_000);
    const honest = connection('honest');
    for (let i = 0; i < 20; i++) {
      vi.advanceTimersByTime(500);
      receive(memory, trickling, 1);
      receive(memory, [honest], 50_000);
    }
    receive(memory, [honest], 1_000_000);
    expect(ended.length).toBeGreaterThan(0);
    expect(ended).not.toContain('honest');
  });

  test('a client that reads nothing is disconnected before one that reads slowly', () => {
    const memory = new ClientMemory();
    const [slow, deaf] = [connection('slow'), connection('deaf')];
    memory.keep(slow, 17_000_000);
    memory.keep(deaf, 18_000_000);
    for (let i = 0; i < 20; i++) {
      vi.advanceTimersByTime(500);
      memory.release(slow, 65_536);
    }
    memory.keep(connection('new'), 4_000_000);
    expect(ended).toEqual(['deaf']);
  });

  test('a client without progress for 30 s is disconnected, however little memory it uses', () => {
    const memory = new ClientMemory();
    const [still, moving] = [connection('still'), connection('moving')];
    memory.keep(still, 500);
    memory.keep(moving, 1_000);
    for (let i = 0; i < 62; i++) {
      vi.advanceTimersByTime(500);
      memory.release(moving, 1);
    }
    expect(ended).toEqual(['still']);
  });
});
