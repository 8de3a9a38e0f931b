import { randomBytes } from 'node:crypto';
import type { Write } from '../../../lib/model/write.ts';
import { usualBody } from '../../texts/usual-body.ts';
import { figure, type Measurement } from '../figure.ts';
import { makeBundles } from '../functions/bundles.ts';
import { callCpuMs } from '../functions/environment.ts';
import { requested } from '../functions/events.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';
import { makeDatabase } from '../scratch.ts';

const sizes = { full: { runs: 7, warmUp: 2_000, times: 3_000 }, smoke: { runs: 1, warmUp: 10, times: 50 } };
const reads = [
  { name: 'getMessage', event: 'getMessage', what: 'processor time of one message' },
  { name: 'listMessages', event: 'listMessages', what: 'processor time of a page of 50' },
  { name: 'listMessages', event: 'listMessagesCompressed', what: 'processor time of a compressed page of 50' },
] as const;
/** More messages than a page has. */
const stored = 200;

export const functionReads = figure({
  title: 'AWS: the processor time of a read',
  about: `As \`function-cpu\`, for \`getMessage\` and for \`listMessages\` (a page of 50 of 200 messages of 80 characters) from
    MariaDB. The reference is a bare handler that runs the same statement and returns the same JSON, without any check. It
    never compresses; in the last row, our function does.`,
  measure: async ({ scale, say, servers }) => {
    const { runs, warmUp, times } = sizes[scale];
    const database = await makeDatabase(await servers());
    const { token, chat } = requested;
    const key = { token, revision: 0, at: Date.now() };
    const chats: Write[] = [
      { ...key, kind: 'application', name: 'bench' },
      { ...key, kind: 'chat', chat, name: null },
    ];
    const content = { sender: null, body: usualBody, metadata: null };
    const messages = Array.from(
      { length: stored },
      (_, i): Write => ({ ...key, kind: 'message', chat, number: i + 1, content }),
    );
    await database.store.merge([...chats, ...messages]);
    const bundles = await makeBundles(['getMessage', 'listMessages']);
    const url = new URL(database.url);
    const login = JSON.stringify({ username: url.username, password: decodeURIComponent(url.password) });
    const aws = await startProgram('aws-stub', login, JSON.stringify({ key: randomBytes(32).toString('base64url') }));
    const origin = `http://127.0.0.1:${aws.ready}`;
    url.password = '';
    const variables = {
      BARE_MYSQL_URL: database.url,
      MYSQL_URL: url.href,
      MYSQL_SECRET: 'database',
      SYSTEM_SECRET: 'system-secret',
      LEDGER_TABLE: 'ledger',
      SYSTEM_NAME: 'bench',
      STORE_QUEUE_URL: `${origin}/000000000000/store`,
      AWS_ENDPOINT_URL_DYNAMODB: origin,
      AWS_ENDPOINT_URL_SQS: origin,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: origin,
    };
    try {
      const measurements: Measurement[] = [];
      for (const { name, event, what } of reads) {
        const cpuMs = (bundle: string) => callCpuMs(variables, { bundle, event, warmUp, times });
        const { ours, reference } = await inTurns(
          runs,
          (run) => {
            say(`${event}, run ${run + 1} of ${runs}`);
            return cpuMs(bundles.fileOf(name));
          },
          () => cpuMs(bundles.bareReads),
        );
        measurements.push({
          what,
          unit: 'ms',
          values: ours,
          reference: { what: 'bare handler', values: reference },
          bar: { atMost: 1.5 },
        });
      }
      return measurements;
    } finally {
      await aws.stop();
      await bundles.remove();
      await database.drop();
    }
  },
});
