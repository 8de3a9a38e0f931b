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

test('bodies are read while those that count have less than 18 MB, and the others wait until one of them is handled', () => {
  const { all, added } = addMany(20);
  expect(added).toEqual([...Array(18).fill(true), false, false]);
  const [first, second] = all as [BodyRead, BodyRead];
  reads.arrived(first, million);
  expect(begun).toHaveLength(18);
  reads.end(first);
  expect(begun.at(-1)).toBe('19');
  // A response ends once more when its connection is closed.
  reads.end(first);
  expect(begun).toHaveLength(19);
  reads.end(second);
  expect(begun.at(-1)).toBe('20');
});

test('a body whose size was unknown counts with its real size as soon as it was read', () => {
  const { all } = addMany(18);
  for (const each of all) reads.arrived(each, 20_000);
  const more = Array.from({ length: 18 }, (_, i) => read(`more ${i}`));
  expect(more.map((each) => reads.add(each))).toEqual([...Array(18).fill(true)]);
});

test('the applications are served round-robin, so that one with many bodies does not delay those of another', () => {
  const { all } = addMany(20);
  for (let i = 0; i < 6; i++) reads.add(read('quiet', million, 'another'));
  expect(begun.slice(18)).toEqual(Array(4).fill('quiet'));
  for (const each of all.slice(0, 7)) reads.end(each);
  expect(begun.slice(22)).toEqual(['19', 'quiet', '20']);
});

test('an application may always have a few bodies read, however many others have', () => {
  for (let i = 0; i < 30; i++) reads.add(read(`flood ${i}`, million, 'flood'));
  const all = Array.from({ length: 6 }, (_, i) => read(`${i}`));
  expect(all.map((each) => reads.add(each))).toEqual([true, true, true, true, false, false]);
  reads.end(all[0] as BodyRead);
  expect(begun.at(-1)).toBe('4');
});

test('bodies that wait are read as soon as one turns out to be small', () => {
  const { all } = addMany(19);
  reads.arrived(all[0] as BodyRead, 20_000);
  expect(begun.at(-1)).toBe('19');
});

test('a body whose client disconnects while it waits is not read', () => {
  const { all } = addMany(20);
  reads.end(all[18] as BodyRead);
  reads.end(all[0] as BodyRead);
  expect(begun.slice(18)).toEqual(['20']);
});

test('clients that send slowly, or stop, delay the bodies of others by a second', () => {
  vi.useFakeTimers();
  const { all } = addMany(19);
  vi.advanceTimersByTime(999);
  expect(begun).toHaveLength(18);
  vi.advanceTimersByTime(1);
  expect(begun.at(-1)).toBe('19');
  // One of the slow bodies arrives after all: it counts again, and once.
  reads.arrived(all[0] as BodyRead, million);
  expect(Array.from({ length: 17 }, (_, i) => reads.add(read(`more ${i}`)))).toEqual([...Array(16).fill(true), false]);
});
