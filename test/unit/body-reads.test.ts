import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type BodyRead, BodyReads } from '../../local/body-reads.ts';

const million = 1_000_000;
let reads: BodyReads;
/** The names of the bodies whose reading has begun, in this order. */
let begun: string[];

beforeEach(() => {
  reads = new BodyReads();
  begun = [];
});
afterEach(() => void vi.useRealTimers());

const read = (name: string, bytes = million, application = 'one'): BodyRead => ({
  application,
  arrivedAt: 0,
  bytes,
  begin: () => void begun.push(name),
});
const addMany = (count: number) => {
  const all = Array.from({ length: count }, (_, i) => read(`${i + 1}`));
  return { all, added: all.map((each) => reads.add(each)) };
};

test('bodies are read while those that count have less than 4 MB, and the others wait until one of them is handled', () => {
  const { all, added } = addMany(6);
  expect(added).toEqual([...Array(4).fill(true), false, false]);
  const [first, second] = all as [BodyRead, BodyRead];
  reads.arrived(first, million);
  expect(begun).toHaveLength(4);
  reads.end(first);
  expect(begun.at(-1)).toBe('5');
  // A response ends once more when its connection is closed.
  reads.end(first);
  expect(begun).toHaveLength(5);
  reads.end(second);
  expect(begun.at(-1)).toBe('6');
});

test('a body whose size was unknown counts with its real size as soon as it was read', () => {
  const { all } = addMany(4);
  for (const each of all) reads.arrived(each, 20_000);
  const more = Array.from({ length: 5 }, (_, i) => read(`more ${i}`));
  expect(more.map((each) => reads.add(each))).toEqual([...Array(4).fill(true), false]);
});

test('the applications are served round-robin, so that one with many bodies does not delay those of another', () => {
  const { all } = addMany(6);
  for (let i = 0; i < 4; i++) reads.add(read('quiet', million, 'another'));
  expect(begun.slice(4)).toEqual(Array(2).fill('quiet'));
  for (const each of all.slice(0, 4)) reads.end(each);
  expect(begun.slice(6)).toEqual(['5', 'quiet', '6']);
});

test('an application may always have a few bodies read, however many others have', () => {
  for (let i = 0; i < 30; i++) reads.add(read(`flood ${i}`, million, 'flood'));
  const all = Array.from({ length: 6 }, (_, i) => read(`${i}`));
  expect(all.map((each) => reads.add(each))).toEqual([true, true, false, false, false, false]);
  reads.end(all[0] as BodyRead);
  expect(begun.at(-1)).toBe('2');
});

test('bodies that wait are read as soon as one turns out to be small', () => {
  const { all } = addMany(5);
  reads.arrived(all[0] as BodyRead, 20_000);
  expect(begun.at(-1)).toBe('5');
});

test('a body whose client disconnects while it waits is not read', () => {
  const { all } = addMany(6);
  reads.end(all[4] as BodyRead);
  reads.end(all[0] as BodyRead);
  expect(begun.slice(4)).toEqual(['6']);
});

test('clients that send slowly, or stop, delay the bodies of others by a quarter of a second', () => {
  vi.useFakeTimers();
  const { all } = addMany(5);
  vi.advanceTimersByTime(249);
  expect(begun).toHaveLength(4);
  vi.advanceTimersByTime(1);
  expect(begun.at(-1)).toBe('5');
  // One of the slow bodies arrives after all: it counts again, and once.
  reads.arrived(all[0] as BodyRead, million);
  expect(Array.from({ length: 3 }, (_, i) => reads.add(read(`more ${i}`)))).toEqual([true, true, false]);
});
