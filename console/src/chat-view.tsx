import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Chat, ChatSystem, Message } from '../../client/src/index.ts';
import { Composer } from './composer.tsx';
import { counted } from './counted.ts';
import { FormDialog } from './form-dialog.tsx';
import type { LiveFeed } from './live-feed.ts';
import { MessageRow } from './message-row.tsx';
import type { Range } from './numbered-window.ts';
import { goTo } from './place.ts';
import { Scroller } from './scroller.tsx';
import { useWindow } from './use-window.ts';

type Asked = { to: 'edit' | 'delete'; message: Message };

/** How often the count of the chat is read again, in milliseconds. */
const countMs = 20_000;

/** One chat: its messages, live, and what can be done with them. */
export function ChatView(props: {
  system: ChatSystem;
  feed: LiveFeed;
  number: number;
  /** The message to show. */
  target: { number: number; nonce: number } | undefined;
  onError: (error: unknown) => void;
}) {
  const { system, feed, number, target, onError } = props;
  const chat = useMemo(() => system.chat(number), [system, number]);
  const [facts, setFacts] = useState<Chat>();
  const [asked, setAsked] = useState<Asked>();
  const [isDeleted, setDeleted] = useState(false);
  const [isAtEnd, setAtEnd] = useState(true);
  const [news, setNews] = useState('');
  /** Numbers of messages that this page has sent and that are not stored yet. */
  const [sent, setSent] = useState<number[]>([]);
  const [jump, setJump] = useState<{ number: number; nonce: number }>();
  const read = useCallback((range: Range) => chat.messages(range).page(), [chat]);
  const { items: messages, version } = useWindow<Message>(read, onError);

  useEffect(() => {
    let isOver = false;
    let stop = () => {};
    const begin = async () => {
      const [{ change }] = await Promise.all([chat.changes(), chat.get().then(setFacts)]);
      await (target ? messages.jumpTo(target.number) : messages.jumpToEnd());
      setJump(target);
      if (isOver) return;
      stop = feed.follow(number, change, (step) => {
        if (step.chat_number === undefined) return;
        if (step.reset) messages.jumpToEnd().catch(onError);
        if (step.deleted) setDeleted(true);
        messages.apply(
          step.data.map(({ type, message }) => ({
            number: message.number,
            item: type === 'message.deleted' ? undefined : (message as Message),
          })),
        );
        const numbers = step.data.map(({ message }) => message.number);
        setSent((before) => before.filter((each) => !numbers.includes(each)));
        const last = step.data.filter(({ type }) => type === 'message.created').at(-1)?.message as Message | undefined;
        if (last) setNews(`New message ${last.number} from ${last.sender ?? 'no sender'}`);
      });
    };
    begin().catch(onError);
    return () => {
      isOver = true;
      stop();
    };
    // The effect below handles jumps within the chat.
  }, [chat, feed, number, messages, onError]);

  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) chat.get().then(setFacts, onError);
    }, countMs);
    return () => clearInterval(timer);
  }, [chat, onError]);

  useEffect(() => {
    if (target && messages.isLoaded)
      messages.jumpTo(target.number).then(() => setJump(nearest(messages.items, target)), onError);
  }, [target]);

  const toEnd = async () => {
    await messages.jumpToEnd();
    const last = messages.items.at(-1);
    if (last) setJump({ number: last.number, nonce: Math.random() });
  };
  const send = async (body: string, sender: string | null) => {
    try {
      const message = await chat.send(body, { sender });
      if (messages.hasAfter) await messages.jumpToEnd();
      if (!messages.items.some((each) => each.number === message.number)) {
        setSent((before) => [...before, message.number]);
        messages.apply([{ number: message.number, item: message }]);
      }
      setJump({ number: message.number, nonce: Math.random() });
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  const waiting = [...new Set([...messages.pending, ...sent])];

  if (isDeleted) return <p class="empty">This chat was deleted.</p>;
  return (
    <>
      <header class="bar">
        <a class="back" href="#chats" aria-label="Back to the chats">
          ‹
        </a>
        <h2 dir="auto">{facts?.name ?? `Chat ${number}`}</h2>
        <small class="counts">
          {facts && counted(facts.messages_count, 'message')}
          {waiting.length > 0 && ` · ${waiting.length} not stored yet`}
        </small>
        <form
          class="jump"
          onSubmit={(event) => {
            event.preventDefault();
            const wanted = Number(new FormData(event.currentTarget).get('number'));
            if (target?.number === wanted) goTo({ chat: number });
            goTo({ chat: number, message: wanted });
          }}
        >
          <input name="number" type="number" min={1} required aria-label="Number of a message" placeholder="No." />
          <button type="submit">Go</button>
        </form>
      </header>
      <Scroller
        label="Messages"
        version={version}
        target={jump}
        sticksToEnd={!messages.hasAfter}
        onTop={() => messages.readBefore().catch(onError)}
        onBottom={() => messages.readAfter().catch(onError)}
        onAtEnd={setAtEnd}
      >
        {messages.isLoaded && messages.items.length === 0 && <p class="empty">There is no message yet.</p>}
        <ol class="messages">
          {messages.items.map((message) => (
            <MessageRow
              key={message.number}
              message={message}
              isPending={sent.includes(message.number)}
              isTarget={message.number === jump?.number && target !== undefined}
              onEdit={() => setAsked({ to: 'edit', message })}
              onDelete={() => setAsked({ to: 'delete', message })}
            />
          ))}
        </ol>
      </Scroller>
      {(messages.hasAfter || !isAtEnd) && (
        <button type="button" class="newest" onClick={() => toEnd().catch(onError)}>
          Newest ↓
        </button>
      )}
      <output class="unseen">{news}</output>
      <Composer onSend={send} />
      {asked?.to === 'edit' && (
        <FormDialog
          title={`Edit message ${asked.message.number}`}
          action="Save"
          onClose={() => setAsked(undefined)}
          onSubmit={(data) =>
            chat.editMessage(asked.message.number, { body: String(data.get('body')).replaceAll('\r\n', '\n') })
          }
        >
          <label for="body">Message</label>
          <textarea id="body" name="body" dir="auto" rows={6} maxLength={10_000} required>
            {asked.message.body}
          </textarea>
        </FormDialog>
      )}
      {asked?.to === 'delete' && (
        <FormDialog
          title={`Delete message ${asked.message.number}?`}
          action="Delete"
          isDangerous
          onClose={() => setAsked(undefined)}
          onSubmit={() => chat.deleteMessage(asked.message.number)}
        >
          <p>It cannot be restored, and its number is never used again.</p>
          <blockquote dir="auto">{asked.message.body.slice(0, 200)}</blockquote>
        </FormDialog>
      )}
    </>
  );
}

/** Returns the target, or the item after it if its number has no message. */
const nearest = (items: Message[], target: { number: number; nonce: number }) => ({
  ...target,
  number: (items.find(({ number }) => number >= target.number) ?? items.at(-1))?.number ?? target.number,
});
