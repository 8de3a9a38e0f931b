import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Chat, ChatSystem, Message } from '../../client/src/index.ts';
import { ChatHeader } from './chat-header.tsx';
import { Composer } from './composer.tsx';
import { FormDialog } from './form-dialog.tsx';
import type { LiveFeed } from './live-feed.ts';
import { MessageRow } from './message-row.tsx';
import type { Range } from './numbered-window.ts';
import { PendingRow } from './pending-row.tsx';
import { goTo } from './place.ts';
import { pendingIn, rowsOf } from './rows.ts';
import { Scroller } from './scroller.tsx';
import { useRefresh } from './use-refresh.ts';
import { useWindow } from './use-window.ts';

type Asked = { to: 'edit' | 'delete'; message: Message };

/** One chat: its messages, live, and what can be done with them. */
export function ChatView(props: {
  system: ChatSystem;
  feed: LiveFeed;
  number: number;
  /** The message to show. */
  target: { number: number; nonce: number } | undefined;
  /** Whether the token is the application's own, which may do everything. */
  isOwner: boolean;
  /** Counts the edits of the chat that came live. */
  edits: number;
  onDeleted: (number: number) => void;
  onError: (error: unknown) => void;
}) {
  const { system, feed, number, target, isOwner, edits, onDeleted, onError } = props;
  const chat = useMemo(() => system.chat(number), [system, number]);
  const [facts, setFacts] = useState<Chat>();
  const [asked, setAsked] = useState<Asked>();
  const [isAtEnd, setAtEnd] = useState(true);
  const [news, setNews] = useState('');
  /** What this page has sent and is not stored yet. */
  const [sent, setSent] = useState<Message[]>([]);
  const [jump, setJump] = useState<{ number: number; nonce: number }>();
  const read = useCallback((range: Range) => chat.messages(range).page(), [chat]);
  const { items: messages, version, attempt } = useWindow<Message>(read, onError);
  const readFacts = useCallback(() => chat.get().then(setFacts), [chat]);
  useRefresh(readFacts, onError);
  useEffect(() => void readFacts().catch(onError), [readFacts, edits, onError]);

  // The version is read before the first page, so that no change is missed between them.
  const begun = useMemo(() => chat.changes(), [chat, attempt]);
  useEffect(() => {
    let isOver = false;
    let stop = () => {};
    const follow = async () => {
      const { change } = await begun;
      if (isOver) return;
      stop = feed.follow(number, change, (step) => {
        if (step.chat_number === undefined) return;
        if (step.reset) {
          setSent([]);
          messages.jumpToEnd().catch(onError);
        }
        if (step.deleted) onDeleted(number);
        messages.apply(
          step.data.map(({ type, message }) => ({
            number: message.number,
            item: type === 'message.deleted' ? undefined : (message as Message),
          })),
        );
        const numbers = step.data.map(({ message }) => message.number);
        setSent((before) => before.filter((each) => !numbers.includes(each.number)));
        const last = step.data.filter(({ type }) => type === 'message.created').at(-1)?.message as Message | undefined;
        if (last) setNews(`New message ${last.number} from ${last.sender ?? 'no sender'}`);
      });
    };
    follow().catch(onError);
    return () => {
      isOver = true;
      stop();
    };
  }, [begun, feed, number, messages, onDeleted, onError]);

  useEffect(() => {
    const begin = async () => {
      await begun;
      await (target ? messages.jumpTo(target.number) : messages.jumpToEnd());
      setJump(target && nearest(messages.items, target));
    };
    if (target || !messages.isLoaded) begin().catch(onError);
  }, [begun, messages, target, onError]);

  const toEnd = async () => {
    await messages.jumpToEnd();
    const last = messages.items.at(-1);
    if (last) setJump({ number: last.number, nonce: Math.random() });
  };
  const show = async (message: Message) => {
    if (messages.hasAfter) await messages.jumpToEnd();
    // The feed may be faster than the response.
    if (!messages.items.some((each) => each.number === message.number)) setSent((before) => [...before, message]);
    setJump({ number: message.number, nonce: Math.random() });
  };
  const send = async (body: string, sender: string | null) => {
    try {
      const message = await chat.send(body, { sender });
      show(message).catch(onError);
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  };
  const rows = rowsOf(messages.items, messages.pending, messages.hasAfter ? [] : sent);

  return (
    <>
      <ChatHeader
        chat={chat}
        facts={facts}
        pending={pendingIn(rows)}
        isOwner={isOwner}
        onRename={(name) => setFacts((known) => known && { ...known, name })}
        onJump={(wanted) => {
          if (target?.number === wanted) goTo({ chat: number });
          goTo({ chat: number, message: wanted });
        }}
      />
      <Scroller
        label="Messages"
        version={version}
        target={jump}
        sticksToEnd={!messages.hasAfter}
        onTop={() => messages.readBefore().catch(onError)}
        onBottom={() => messages.readAfter().catch(onError)}
        onAtEnd={(atEnd) => {
          messages.keepsStart = !atEnd;
          setAtEnd(atEnd);
        }}
      >
        {messages.isLoaded && rows.length === 0 && <p class="empty">There is no message yet.</p>}
        <ol class="messages">
          {rows.map((row) =>
            'message' in row ? (
              <MessageRow
                key={row.number}
                message={row.message}
                isPending={row.isPending}
                isTarget={row.number === jump?.number && jump.nonce === target?.nonce}
                onEdit={() => setAsked({ to: 'edit', message: row.message })}
                onDelete={() => setAsked({ to: 'delete', message: row.message })}
              />
            ) : (
              <PendingRow key={row.number} {...row} />
            ),
          )}
        </ol>
      </Scroller>
      {(messages.hasAfter || !isAtEnd) && (
        <button type="button" class="newest" onClick={() => toEnd().catch(onError)}>
          Newest ↓
        </button>
      )}
      <output class="unseen">{news}</output>
      <Composer asksSender={isOwner} onSend={send} />
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
          <textarea id="body" name="body" dir="auto" rows={6} required>
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
