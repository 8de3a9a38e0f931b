import { figure } from '../figure.ts';
import { makeBundles } from '../functions/bundles.ts';
import { callCpuMs } from '../functions/environment.ts';
import { startProgram } from '../programs.ts';
import { inTurns } from '../ratios.ts';

const sizes = { full: { runs: 7, warmUp: 2_000, calls: 3_000 }, smoke: { runs: 1, warmUp: 10, calls: 50 } };

export const functionCpu = figure({
  title: 'AWS: the processor time of a create',
  about: `A process calls the deployed bundle of \`createMessage\` repeatedly, for a message of 80 characters; another responds like
    DynamoDB and SQS. The reference is a bare handler that parses the body and makes the same two calls with the same SDK
    clients, without any check. A call includes parsing the event and serializing the response, as in Lambda's runtime. The
    result is the CPU time of all threads.`,
  measure: async ({ scale, say }) => {
    const { runs, warmUp, calls } = sizes[scale];
    const bundles = await makeBundles(['createMessage']);
    const aws = await startProgram('aws-stub');
    const origin = `http://127.0.0.1:${aws.ready}`;
    const variables = {
      LEDGER_TABLE: 'ledger',
      SYSTEM_NAME: 'bench',
      STORE_QUEUE_URL: `${origin}/000000000000/store`,
      // Its value is read only for a path with `self`.
      SYSTEM_SECRET: 'system-secret',
      AWS_ENDPOINT_URL_DYNAMODB: origin,
      AWS_ENDPOINT_URL_SQS: origin,
    };
    const cpuMs = (bundle: string) => callCpuMs(variables, { bundle, event: 'createMessage', warmUp, times: calls });
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
