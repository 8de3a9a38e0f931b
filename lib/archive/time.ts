import { limits } from '../limits.ts';
import { isTime } from '../model/bounds.ts';

/** Returns the time, in milliseconds since 1970, as the API writes it: in UTC, with milliseconds. */
export const timeText = (ms: number): string => new Date(ms).toISOString();

/** A time of RFC 3339. A space may stand for the T (section 5.6). */
const pattern = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** What is wrong with a value that is not a time, as the end of a sentence about it. */
export const timeFault = `must be an RFC 3339 time from ${timeText(0)} to ${timeText(limits.latestTime)}, such as 2015-12-01T09:30:00+01:00`;
const dayMs = 86_400_000;

/**
 * Parses a time of RFC 3339, with any offset and any number of decimals. Decimals beyond milliseconds are cut off. A
 * leap second, at 23:59:60 in UTC, becomes the last millisecond before it, because milliseconds since 1970 have none.
 *
 * @returns milliseconds since 1970, or what is wrong with the text, as the end of a sentence about it
 */
export function parseTime(text: string): number | { fault: string } {
  const [, date = '', clock = '', second = '', decimals = '', sign, hours, minutes] = pattern.exec(text) ?? [];
  const isLeapSecond = second === '60';
  const written = `${date}T${clock}:${isLeapSecond ? '59.999' : `${second}.${decimals.slice(0, 3).padEnd(3, '0')}`}Z`;
  const local = Date.parse(written);
  // `Date.parse` accepts February 30 and 24:00, and returns a later date.
  if (Number.isNaN(local) || timeText(local) !== written) return { fault: timeFault };
  const offsetMinutes = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) : 0;
  const ms = local - offsetMinutes * 60_000;
  const isPossible = !isLeapSecond || (ms + 1) % dayMs === 0;
  return isTime(ms) && isPossible ? ms : { fault: timeFault };
}
