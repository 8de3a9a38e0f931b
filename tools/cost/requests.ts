import { limits } from '../../lib/limits.ts';
import type { Inputs } from './inputs.ts';
import { billedMs, functionLines, type Line, queueRequests, type Scenario } from './lines.ts';
import { requestSizes } from './sizes.ts';

const writeUnitBytes = 1_024;
/** Read units of a create with an Idempotency-Key, as `npm run simulate:hot-chat` measures them. */
const keyedReadUnits = 0.93;

/** Returns what AWS bills for responding to the clients, in quantities per second. */
export function requestLines(scenario: Scenario, inputs: Inputs): Line[] {
  const { batch, keys, memoryMb } = scenario;
  const requests = scenario.perSecond / batch;
  const { records, response } = requestSizes(batch);
  const cpuMs = inputs.createCpuMs + (batch - 1) * inputs.createdMessageCpuMs;
  // An Idempotency-Key takes three more writes, one after the other: put the key, record the number, save the response. In
  // parallel with the first, it reads the counter's item, and every few creates it reads which reservations it may
  // remove.
  const tableCalls = keys ? 4 : 1;
  const waitMs = inputs.runtimeMs + tableCalls * inputs.tableCallMs + inputs.queueCallMs;
  const part = 'requests';
  const ms = billedMs(cpuMs, waitMs, memoryMb);
  // A function reads each application that it serves every 30 s, which takes half a read unit. For access tokens, it reads
  // the application every 25 s instead, consistently, and the system secret every 5 minutes. The creates in between
  // do not read them.
  const functionsAtWork = Math.max(1, (requests * ms) / 1_000);
  const [keptMs, unitsPerRead] = scenario.accessTokens
    ? [limits.accessToken.keptMs, 1]
    : [limits.existingApplicationMs, 0.5];
  const applicationReads = Math.min(requests, (functionsAtWork * scenario.chats * 1_000) / keptMs);
  const secretReads = (functionsAtWork * 1_000) / limits.systemSecret.refreshMs;
  return [
    { what: 'API requests', part, price: 'apiRequest', quantity: requests },
    ...functionLines(scenario, part, requests, ms, memoryMb, inputs, 0),
    { what: 'access log', part, price: 'logGb', quantity: (requests * inputs.accessLogBytes) / 1e9 },
    {
      what: 'table writes',
      part,
      price: 'tableWriteUnit',
      quantity: requests * tableCalls * Math.ceil(inputs.chatItemBytes / writeUnitBytes),
    },
    { what: 'table reads', part, price: 'tableReadUnit', quantity: applicationReads * unitsPerRead },
    ...(keys
      ? [{ what: 'table reads', part, price: 'tableReadUnit', quantity: requests * keyedReadUnits } as const]
      : []),
    ...(scenario.accessTokens
      ? [{ what: 'secret reads', part, price: 'secretCall', quantity: secretReads } as const]
      : []),
    {
      what: 'queue requests',
      part,
      price: 'queueRequest',
      quantity: requests * queueRequests(records.reduce((sum, bytes) => sum + bytes, 0)),
    },
    {
      what: 'bytes sent out',
      part,
      price: 'transferOutGb',
      quantity: (requests * (response + inputs.responseHeaderBytes)) / 1e9,
    },
  ];
}
