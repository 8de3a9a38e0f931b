import { type ChatHandle, ChatSystem, ChatSystemError, type Settings } from '../../client/src/index.ts';
import type { Declaration } from '../texts/declarations.ts';
import { inBatches } from './batches.ts';
import { inParallel } from './parallel.ts';
import type { Run } from './run.ts';

/** A declaration whose messages have all been accepted as numbers 1, 2, 3 … of a chat. */
export interface LoadedChat {
  chat: ChatHandle;
  declaration: Declaration;
}

/** Called with the number of newly accepted messages; `before` is true when an earlier process sent them. */
type OnAccepted = (messages: number, before: boolean) => void;

/**
 * Creates the run's application; for a resumed run, returns the existing one.
 *
 * @returns its token, and the client of its holder; undefined when the application was deleted in the meantime
 */
export async function openApplication(
  settings: Settings,
  { id }: Run,
): Promise<{ token: string; system: ChatSystem } | undefined> {
  const name = 'Universal Declaration of Human Rights';
  const key = { idempotencyKey: `demo-${id}-application` };
  const { token } = await new ChatSystem(settings).createApplication(name, key);
  const system = new ChatSystem({ ...settings, token });
  try {
    await system.getApplication();
    return { token, system };
  } catch (error) {
    if (error instanceof ChatSystemError && error.code === 'access_token_invalid') return undefined;
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
  system: ChatSystem,
  run: Run,
  declarations: readonly Declaration[],
  concurrency: number,
  onAccepted: OnAccepted,
): Promise<LoadedChat[]> {
  const loaded: LoadedChat[] = [];
  await inParallel(declarations, concurrency, async (declaration) => {
    const { code, language, paragraphs } = declaration;
    const created = { name: language, metadata: { code } };
    const { number } = await system.createChat(created, { idempotencyKey: `demo-${run.id}-chat-${code}` });
    const chat = system.chat(number);

    let last = 0;
    const contents = paragraphs.map((body, i) => ({ sender: code, body, metadata: { paragraph: i + 1 } }));
    for (const [i, batch] of inBatches(contents).entries()) {
      last += batch.length;
      const state = run.resumed ? await stateOf(chat, last) : 'unknown';
      // An assigned number does not prove that its message will be stored: on AWS, the function may have died after it
      // took the number and before it sent the message. Then a create with the same key completes it; otherwise the
      // create returns the first response again.
      if (state !== 'stored') await chat.sendAll(batch, { idempotencyKey: `demo-${run.id}-messages-${code}-${i}` });
      onAccepted(batch.length, state !== 'unknown');
    }
    loaded.push({ chat, declaration });
  });
  return loaded;
}

/**
 * Returns the state of a message that an earlier process may have sent; `unknown` also when the request fails
 * temporarily.
 */
async function stateOf(chat: ChatHandle, message: number): Promise<'stored' | 'accepted' | 'unknown'> {
  try {
    await chat.message(message, { retryMs: 0 });
    return 'stored';
  } catch (error) {
    if (!(error instanceof ChatSystemError)) throw error;
    if (error.code === 'message_pending') return 'accepted';
    if (error.code === 'message_not_found' || error.isTemporary) return 'unknown';
    throw error;
  }
}
