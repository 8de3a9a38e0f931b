import { expect, test } from 'vitest';
import { encodeSteps } from '../../lib/queue/records.ts';
import { describeDeadLetter } from '../../tools/ops/describe-dead-letter.ts';

test('a dead letter of the feed is described by its versions, without what they changed', () => {
  const event = '{"secret":"text"}';
  const token = 'Q2lDXdH2R2GfSqkhVYzhGg';
  const steps = [
    { token, chat: 2, version: 7, event },
    { token, chat: 2, version: 8, event },
    { token, version: 3, event },
  ];
  const about = describeDeadLetter('feed', encodeSteps(steps, { requests: [], at: undefined }));
  expect(about).toBe('version of chat 2 in Q2lDXd…: 7–8; version of the application in Q2lDXd…: 3');
  expect(describeDeadLetter('feed', 'no record')).toBe('unreadable, 9 characters');
});
