import * as responses from '../../lib/api/responses.ts';
import type { Declaration } from '../texts/declarations.ts';
import { inBatches } from './batches.ts';
import { type Client, Refused } from './client.ts';
import { inParallel } from './parallel.ts';
import type { Run } from './run.ts';

const Created = {
  application: responses.Application.pick({ token: true }),
  numbered: responses.Message.pick({ number: true }),
};
const CreatedMessages = responses.Messages.pick({}).extend({ data: Created.numbered.array() });

/** A declaration whose messages have all been accepted as numbers 1, 2, 3 … of a chat. */
export interface LoadedChat {
  number: number;
  /** The path of the chat's messages. */
  messages: string;
  declaration: Declaration;
}

/** Called with the number of newly accepted messages; `before` is true when an earlier process sent them. */
type OnAccepted = (messages: number, before: boolean) => void;

/**
 * Creates the run's application; for a resumed run, returns the existing one.
 *
 * @returns its token; undefined when the application was deleted in the meantime
 */
export async function openApplication(client: Client, { id }: Run): Promise<string | undefined> {
  const name = 'Universal Declaration of Human Rights';
  const { token } = await client.post('/applications', { name }, `demo-${id}-application`, Created.application);
  try {
    await client.get(`/applications/${token}`, Created.application);
    return token;
  } catch (error) {
    if (error instanceof Refused && error.code === 'application_not_found') return undefined;
    throw error;
  }
}

/**
 * Creates a chat for each declaration and a message for each paragraph, whose sender is the language. What an earlier
 * process of the same run created is not created again, because the Idempotency-Keys are the same.
 *
 * @returns the chats in the order in which their messages were accepted
 */
export async function load(
  client: Client,
  run: Run,
  token: string,
  declarations: readonly Declaration[],
  concurrency: number,
  onAccepted: OnAccepted,
): Promise<LoadedChat[]> {
  const loaded: LoadedChat[] = [];
  await inParallel(declarations, concurrency, async (declaration) => {
    const { code, language, paragraphs } = declaration;
    const chats = `/applications/${token}/chats`;
    const chat = { name: language, metadata: { code } };
    const { number } = await client.post(chats, chat, `demo-${run.id}-chat-${code}`, Created.numbered);
    const messages = `${chats}/${number}/messages`;

    let last = 0;
    const contents = paragraphs.map((body, i) => ({ sender: code, body, metadata: { paragraph: i + 1 } }));
    for (const [i, batch] of inBatches(contents).entries()) {
      last += batch.length;
      const state = run.resumed ? await stateOf(client, `${messages}/${last}`) : 'unknown';
      // An assigned number does not prove that its message will be stored: on AWS, the function may have died in
      // between. Then a create with the same key completes it; otherwise the create returns the first response again.
      if (state !== 'stored') {
        await client.post(
          `${messages}/batch`,
          { messages: batch },
          `demo-${run.id}-messages-${code}-${i}`,
          CreatedMessages,
        );
      }
      onAccepted(batch.length, state !== 'unknown');
    }
    loaded.push({ number, messages, declaration });
  });
  return loaded;
}

/** Returns the state of a message that an earlier process may have sent. */
async function stateOf(client: Client, message: string): Promise<'stored' | 'accepted' | 'unknown'> {
  try {
    await client.get(message, Created.numbered);
    return 'stored';
  } catch (error) {
    if (error instanceof Refused && error.code === 'message_pending') return 'accepted';
    if (error instanceof Refused && error.code === 'message_not_found') return 'unknown';
    throw error;
  }
}
