import { type DynamoDBClient, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';

/** How a call goes: well, or it fails before it reaches DynamoDB or after it has taken effect there. */
export type Fault = 'well' | 'throttled' | 'refused' | 'answer lost';

/** Lets calls of a real client fail as told: the next calls of that name have these faults, one each. */
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
