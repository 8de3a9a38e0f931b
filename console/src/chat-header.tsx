import { useState } from 'preact/hooks';
import type { Chat, ChatHandle } from '../../client/src/index.ts';
import { counted } from './counted.ts';
import { FormDialog } from './form-dialog.tsx';
import { currentPlace, goTo } from './place.ts';

/** The name and the counts of a chat, and what can be done with it. */
export function ChatHeader(props: {
  chat: ChatHandle;
  facts: Chat | undefined;
  /** The number of messages that are accepted but not stored yet. */
  pending: number;
  /** Whether the token may rename and delete the chat. */
  isOwner: boolean;
  onRename: (name: string | null) => void;
  /** The user wants to see a message. */
  onJump: (number: number) => void;
}) {
  const { chat, facts, pending, isOwner, onRename, onJump } = props;
  const [asked, setAsked] = useState<'rename' | 'delete'>();
  const { number } = chat;
  const title = facts?.name ?? `Chat ${number}`;
  const rename = async (data: FormData) => {
    const name = String(data.get('name')) || null;
    await chat.edit({ name });
    onRename(name);
  };
  const remove = async () => {
    await chat.delete();
    // The user may have opened another chat meanwhile.
    if (currentPlace().chat === number) goTo({});
  };
  return (
    <header class="bar">
      <a class="back" href="#chats" aria-label="Back to the chats">
        ‹
      </a>
      <h2 dir="auto">{title}</h2>
      <small class="counts">
        {facts && counted(facts.messages_count, 'message')}
        {pending > 0 && ` · ${pending.toLocaleString('en')} not stored yet`}
      </small>
      {isOwner && facts && (
        <span>
          <button type="button" class="quiet" aria-label="Rename the chat" onClick={() => setAsked('rename')}>
            Rename
          </button>
          <button type="button" class="quiet" aria-label="Delete the chat" onClick={() => setAsked('delete')}>
            Delete
          </button>
        </span>
      )}
      <form
        class="jump"
        onSubmit={(event) => {
          event.preventDefault();
          onJump(Number(new FormData(event.currentTarget).get('number')));
        }}
      >
        <input
          name="number"
          type="number"
          min={1}
          max={Number.MAX_SAFE_INTEGER}
          required
          aria-label="Number of a message"
          placeholder="No."
        />
        <button type="submit">Go</button>
      </form>
      {asked === 'rename' && (
        <FormDialog title={`Rename chat ${number}`} action="Save" onClose={() => setAsked(undefined)} onSubmit={rename}>
          <label for="name">Name</label>
          <input id="name" name="name" dir="auto" defaultValue={facts?.name ?? ''} placeholder="none" />
        </FormDialog>
      )}
      {asked === 'delete' && (
        <FormDialog
          title={`Delete chat ${number}?`}
          action="Delete"
          isDangerous
          onClose={() => setAsked(undefined)}
          onSubmit={remove}
        >
          <p>
            The chat and all its messages are lost
            {facts && facts.messages_count > 0 && `: ${counted(facts.messages_count, 'message')} at the last count`}.
            They cannot be restored, and the number of the chat is never used again.
          </p>
          <blockquote dir="auto">{title}</blockquote>
        </FormDialog>
      )}
    </header>
  );
}
