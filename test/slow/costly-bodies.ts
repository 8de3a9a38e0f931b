import { limits } from '../../lib/limits.ts';

/** Returns as many units as fit into a body of the largest size, between head and tail. */
function filled(head: string, tail: string, unit: (i: number) => string): string {
  const units: string[] = [];
  let size = head.length + tail.length;
  for (let i = 0; ; i++) {
    const next = unit(i);
    size += next.length + 1;
    if (size > limits.requestBytes) return head + units.join(',') + tail;
    units.push(next);
  }
}

/** Returns a text of the largest size, with the unit repeated between head and tail. */
const repeated = (head: string, unit: string, tail: string): string =>
  head + unit.repeat((limits.requestBytes - head.length - tail.length) / unit.length) + tail;

const name = (i: number) => i.toString(36);
const messages = (unit: (i: number) => string) => filled('{"messages":[', ']}', unit);
const members = (unit: (i: number) => string) => filled('{', '}', unit);
/** Almost as many values as a body may have. */
const allowed = limits.bodyValues - 100;
/** Returns a body of the largest size that has these values, and fills the rest with one string. */
const atTheLimit = (values: string) => repeated(`{"more":${values},"text":"`, 'x', '"}');
const list = (count: number, unit: (i: number) => string) => Array.from({ length: count }, (_, i) => unit(i)).join(',');
const nested = (levels: number, open: string, close: string) => open.repeat(levels) + close.repeat(levels);

/** Bodies of a megabyte of JSON or almost JSON, each of which is expensive for a parser or validator in another way. */
export const costlyBodies: Record<string, string> = {
  'empty objects': messages(() => '{}'),
  'empty arrays': messages(() => '[]'),
  'the number 1': messages(() => '1'),
  'wrong bodies': messages(() => '{"body":1}'),
  'missing bodies': JSON.stringify({ messages: Array(limits.batchSize).fill({}) }),
  'blank bodies': JSON.stringify({ messages: Array(limits.batchSize).fill({ body: ' '.repeat(1_000) }) }),
  'distinct short strings': messages((i) => `"${name(i)}"`),
  'numbers that are hard to round': messages(() => `0.5000000000000001665334536937${'0'.repeat(700)}1`),
  'one name each': messages((i) => `{"${name(i)}":1}`),
  'thirty names each': messages((i) => `{${list(30, (j) => `"${name(30 * i + j)}":1`)}}`),
  'distinct members': members((i) => `"${name(i)}":1`),
  'members that are numbers': members((i) => `"${(i + 1) * 2 ** 32}":1`),
  'members named __proto__': members((i) => `"__proto__":{"${name(i)}":1}`),
  'one member repeated': members(() => '"body":1'),
  'nested arrays': nested(limits.requestBytes / 2, '[', ']'),
  'nested objects': `${'{"messages":'.repeat(limits.requestBytes / 14)}1${'}'.repeat(limits.requestBytes / 14)}`,
  'arrays that never end': repeated('', '[', ''),
  'objects that never end': repeated('', '{"":', ''),
  'a string that never ends': repeated('{"body":"', '\\"', ''),
  'a huge body': repeated('{"body":"', 'x', '"}'),
  'a blank body': repeated('{"body":"', ' ', '"}'),
  'a body of surrogates': repeated('{"body":"', '\\ud83d', '"}'),
  'a body of escapes': repeated('{"body":"', '\\n', '"}'),
  'a body of backslashes': repeated('{"body":"', '\\\\', '"}'),
  'a long name': repeated('{"', 'k', '":1}'),
  'a million digits': repeated('{"body":', '9', '}'),
  'a million decimals': repeated('{"body":0.', '3', '}'),
  'white space': repeated('{"messages":', ' ', '[]}'),
  'as many distinct members as are allowed': atTheLimit(`{${list(allowed, (i) => `"${name(i).padEnd(20, 'x')}":1`)}}`),
  'as many shapes as are allowed': atTheLimit(`[${list(allowed / 2, (i) => `{"${name(i).padEnd(20, 'x')}":1}`)}]`),
  'as deep as is allowed': atTheLimit(nested(allowed, '[', ']')),
};
