import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface RecordedRequest {
  method: string;
  /** The path and the query. */
  url: string;
  /** The operation of an AWS service, such as `DynamoDB_20120810.Scan`. */
  target: string | undefined;
  body: string;
}

/** Opens an HTTP proxy on this machine that records every request, and then forwards it to the server. */
export async function openRecordingProxy(to: string, recorded: RecordedRequest[]) {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await buffer(request);
    const target = headers['x-amz-target'];
    recorded.push({ method, url, target: Array.isArray(target) ? target[0] : target, body: body.toString() });
    const forwarded = httpRequest(new URL(url, to), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', (error) => response.destroy(error));
    forwarded.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
