import { CommandProblem } from '../cli/problem.ts';

/**
 * Returns the URL of a deployed API on an emulator, from the address that it would have on AWS.
 *
 * MiniStack 1.5 and LocalStack 4.14 both serve REST APIs under this path. The host name in the stack's output
 * (`<id>.execute-api…`) points to AWS, or resolves only where `*.localhost` resolves.
 *
 * @param output the stack's output, `https://<id>.execute-api.<region>.<domain>/<stage>/`
 */
export function emulatedApiUrl(endpoint: string, output: string): string {
  const { hostname, pathname } = new URL(output);
  const [id, service] = hostname.split('.');
  const stage = pathname.split('/')[1];
  if (!id || service !== 'execute-api' || !stage)
    throw new CommandProblem(`The stack's output ${output} is not the address of an API.`);
  return new URL(`/_aws/execute-api/${id}/${stage}`, endpoint).href;
}
