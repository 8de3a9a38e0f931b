/** A clock that stands still until it is advanced, in milliseconds since 1970. */
export interface Clock {
  (): number;
  advance(milliseconds: number): void;
}

export function newClock(start: number = Date.UTC(2026, 10, 21)): Clock {
  let time = start;
  return Object.assign(() => time, {
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
  });
}
