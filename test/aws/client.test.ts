import { expect, test } from 'vitest';
import { patient } from '../support/client/client.ts';
import { consume, places } from '../support/client/consumers.ts';
import { deployment } from '../support/servers/deployment.ts';

// The package chat-system-client as it is published, where it is used, on the deployed stack.

test.each(places)('in %s, the client sends exactly once and misses nothing', async (place) => {
  const { base: url, operator } = await deployment();
  const { token } = await operator.createApplication('Some application', patient);
  // Node.js 20 has no WebSocket, so it asks for changes. The others follow live.
  const { tokens, statuses } = await consume(place, { url, token, rounds: 6 });
  expect(tokens).toBe(1);
  expect(statuses).toEqual(['live']);
});
