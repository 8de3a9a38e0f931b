import { type DynamoDBClient, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';

/** The result of a call: success, or a failure before it reaches DynamoDB or after it took effect there. */
export type Fault = 'well' | 'throttled' | 'refused' | 'answer lost';

/** Injects faults into a real client: the next calls with the given name have these faults, one each. */
export function injectFaults(client: DynamoDBClient): (command: string, ...faults: Fault[]) => void {
  const coming = new Map<string, Fault[]>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const fault = coming.get(String(context.commandName))?.shift();
      if (fault === 'throttled')
        throw new DynamoDBServiceException({
          name: 'ProvisionedThroughputExceededException',
          $fault: 'client',
          $metadata: {},
        });
      if (fault === 'refused') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      const result = await next(args);
      if (fault === 'answer lost') throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
      return result;
    },
    { step: 'initialize', name: 'injectFaults' },
  );
  return (command, ...faults) => void coming.set(`${command}Command`, faults);
}
