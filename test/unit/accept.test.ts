import { expect, test } from 'vitest';
import { preferredType } from '../../functions/runtime/http/accept.ts';

const types = ['application/json', 'text/event-stream'];

test.each([
  [undefined, 'application/json'],
  ['', 'application/json'],
  ['*/*', 'application/json'],
  ['application/*', 'application/json'],
  ['application/json', 'application/json'],
  ['Application/JSON; charset=utf-8', 'application/json'],
  ['text/event-stream', 'text/event-stream'],
  ['text/*', 'text/event-stream'],
  // Some polyfills of EventSource send this.
  ['text/event-stream, */*', 'text/event-stream'],
  ['text/event-stream;q=0.5, */*', 'application/json'],
  ['application/json;q=0.5, text/event-stream', 'text/event-stream'],
  ['application/json, text/event-stream', 'application/json'],
  ['application/json;q=0, */*', 'text/event-stream'],
  ['*/*;q=0', undefined],
  ['text/html', undefined],
  ['application/x-ndjson, image/*', undefined],
])('a client that accepts %j prefers %s of JSON and events', (accept, preferred) => {
  expect(preferredType(accept, types)).toBe(preferred);
});
