import { formatNumber, seconds } from '../cli/numbers.ts';

/** The result of a run. Times are in milliseconds from its first request. */
export interface Outcome {
  token: string;
  chats: number;
  messages: number;
  /** Messages that an earlier process of the run sent. */
  messagesBefore: number;
  acceptedMs: number;
  storedMs: number;
  searchableMs: number;
}

/** Formats the result of a run as lines of text. */
export function summary({ token, chats, messages, messagesBefore, ...ms }: Outcome): string {
  const sent = messages - messagesBefore;
  const rows = [
    ['applications', '1', `token ${token}`],
    ['chats', formatNumber(chats), 'one for each language'],
    [
      'messages',
      formatNumber(messages),
      messagesBefore > 0
        ? `${formatNumber(messagesBefore)} of them sent before the run was stopped`
        : 'one for each paragraph',
    ],
    [
      'accepted',
      seconds(ms.acceptedMs),
      sent > 0 ? `${formatNumber(sent / (ms.acceptedMs / 1_000))} messages/s` : 'nothing was left to send',
    ],
    ['all stored', seconds(ms.storedMs), 'every message can be read'],
    ['all searchable', seconds(ms.searchableMs), 'every message can be found'],
  ] as const;
  const [names, values] = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] as string).length))) as [
    number,
    number,
  ];
  return rows.map(([name, value, note]) => `  ${name.padEnd(names)}  ${value.padStart(values)}  ${note}`).join('\n');
}
