import { expect, test } from 'vitest';
import { messageView } from '../../functions/api/shared/views.ts';
import { operation } from '../../functions/runtime/http/operation.ts';
import { blankContent } from '../../lib/model/content.ts';
import type { StoredMessage } from '../../lib/store/reads.ts';

// The compiler checks these lines: `npm run types` fails where a line after @ts-expect-error has no error.

const stored: StoredMessage = { number: 1, content: { ...blankContent, body: 'Hello' }, createdAt: 0, updatedAt: 0 };
const withExtra = (message: StoredMessage) => ({ ...messageView(message), extra: 1 });
const withoutBody = (message: StoredMessage) => {
  const { body: _, ...view } = messageView(message);
  return view;
};
/** Half of its values have the member `extra`. */
const either = (): ReturnType<typeof withExtra> | { number: number } => withExtra(stored);

test('the compiler accepts an operation that returns its documented response', () => {
  expect(operation('getMessage', async () => ({ json: messageView(stored) }))).toBeTypeOf('function');
  expect(operation('createMessages', async () => ({ json: { data: [messageView(stored)] } }))).toBeTypeOf('function');
  expect(operation('deleteMessage', async () => ({}))).toBeTypeOf('function');
});

test('the compiler refuses an undocumented member of a response, at any depth', () => {
  // @ts-expect-error -- property 'extra' has conflicting types
  operation('getMessage', async () => ({ json: withExtra(stored) }));
  // @ts-expect-error -- types of property 'extra' are incompatible
  operation('createMessages', async () => ({ json: { data: [withExtra(stored)] } }));
  // @ts-expect-error -- property 'extra' has conflicting types
  operation('getHealth', async () => ({ json: { status: 'ok', extra: 1 } }));
  // @ts-expect-error -- property 'extra' has conflicting types, and property 'body' is missing
  operation('getMessage', async () => ({ json: either() }));
});

test('the compiler refuses a response without a documented member, at any depth', () => {
  // @ts-expect-error -- property 'body' is missing
  operation('getMessage', async () => ({ json: withoutBody(stored) }));
  // @ts-expect-error -- property 'body' is missing
  operation('createMessages', async () => ({ json: { data: [withoutBody(stored)] } }));
  // @ts-expect-error -- property 'json' is missing
  operation('getMessage', async () => ({}));
});

test('the compiler refuses a body where none is documented, and anything but a document where one is', () => {
  // @ts-expect-error -- property 'json' is incompatible
  operation('deleteMessage', async () => ({ json: messageView(stored) }));
  // @ts-expect-error -- property 'document' is missing
  operation('getOpenapi', async () => ({ json: {} }));
});
