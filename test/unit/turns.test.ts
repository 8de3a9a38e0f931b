import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Turns } from '../../local/turns.ts';

describe('turns', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** Schedules 20 tasks of 1 ms each, and counts those that have run. */
  const schedule = (turns: Turns): { ran: number } => {
    const seen = { ran: 0 };
    for (let i = 0; i < 20; i++) {
      turns.startLater(() => {
        seen.ran++;
        vi.advanceTimersByTime(1);
      });
    }
    return seen;
  };

  const allOf = async (seen: { ran: number }): Promise<void> => {
    while (seen.ran < 20) await nextTurn();
  };

  test('a turn runs tasks for about 2 ms', async () => {
    const seen = schedule(new Turns());
    await nextTurn();
    expect(seen.ran).toBe(3);
    await allOf(seen);
  });

  test('a turn in which a connection was accepted runs only one task, so that the next connection is accepted soon', async () => {
    const turns = new Turns();
    const seen = schedule(turns);
    turns.shortenTurn();
    await nextTurn();
    expect(seen.ran).toBe(1);
    await allOf(seen);
  });

  /** Counts the turns, in each of which a connection is accepted, until three pieces of large work were continued. */
  const continuedIn = async (turns: Turns): Promise<number[]> => {
    const ran: number[] = [];
    for (let i = 0; i < 3; i++)
      turns.continueLater(() => {
        ran.push(turn);
        vi.advanceTimersByTime(1);
      });
    let turn = 0;
    while (ran.length < 3) {
      turn++;
      // In this turn, as libuv accepts a connection before it runs the tasks of the turn.
      turns.shortenTurn();
      await nextTurn();
    }
    return ran;
  };

  test('while connections are accepted, large work is continued in every fourth turn', async () => {
    expect(await continuedIn(new Turns())).toEqual([4, 8, 12]);
  });

  test.each([0, 1, 2, 3])(
    'while connections are accepted and requests wait, large work is continued in every fourth turn, also after %i tasks',
    async (before) => {
      const turns = new Turns();
      for (let i = 0; i < before; i++) turns.startLater(() => undefined);
      await nextTurn();
      const seen = schedule(turns);
      expect(await continuedIn(turns)).toEqual([4, 8, 12]);
      await allOf(seen);
    },
  );
});
