import path from 'node:path';
import { figure } from '../figure.ts';
import { makeBundles } from '../functions/bundles.ts';
import { runAsFunction } from '../functions/environment.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';

const sizes = { full: { runs: 7, warmUp: 2_000, calls: 3_000 }, smoke: { runs: 1, warmUp: 10, calls: 50 } };
const program = path.join(import.meta.dirname, '../functions/calls.ts');

export const functionCpu = figure({
  title: 'AWS: the processor time of a create',
  about: `The function that creates a message, in the bundle that is deployed, is called time after time with the event of a message of 80
    characters; a process beside it answers as DynamoDB and SQS do. The reference is a bare handler that parses the body, makes the
    same two calls by the same clients of the SDK, and checks nothing. The event is parsed and the answer printed around each call, as
    Lambda's runtime does; the time is that of all threads, and of the system for them.`,
  measure: async ({ scale, say }) => {
    const { runs, warmUp, calls } = sizes[scale];
    const bundles = await makeBundles(['createMessage']);
    const aws = await startProgram('aws-answers');
    const origin = `http://127.0.0.1:${aws.ready}`;
    const variables = {
      LEDGER_TABLE: 'ledger',
      SYSTEM_NAME: 'bench',
      STORE_QUEUE_URL: `${origin}/000000000000/store`,
      AWS_ENDPOINT_URL_DYNAMODB: origin,
      AWS_ENDPOINT_URL_SQS: origin,
    };
    const cpuMs = async (bundle: string) => {
      // The log lines of the function precede the number.
      const printed = await runAsFunction(variables, program, bundle, String(warmUp), String(calls));
      return Number(printed.slice(printed.lastIndexOf('\n') + 1)) / 1_000;
    };
    try {
      const { ours, reference } = await inTurns(
        runs,
        (run) => {
          say(`run ${run + 1} of ${runs}`);
          return cpuMs(bundles.fileOf('createMessage'));
        },
        () => cpuMs(bundles.bare),
      );
      return [
        {
          what: 'processor time of a create',
          unit: 'ms',
          values: ours,
          reference: { what: 'bare handler', values: reference },
          bar: { atMost: 1.3 },
        },
      ];
    } finally {
      await aws.stop();
      await bundles.remove();
    }
  },
});
