import { useCallback, useEffect } from 'preact/hooks';
import type { Chat, ChatSystem } from '../../client/src/index.ts';
import { counted } from './counted.ts';
import type { LiveFeed } from './live-feed.ts';
import type { Range } from './numbered-window.ts';
import { Scroller } from './scroller.tsx';
import { useWindow } from './use-window.ts';

/** The chats of the application, newest first. They appear, change and disappear by themselves. */
export function ChatList(props: {
  system: ChatSystem;
  feed: LiveFeed;
  /** Whether the token may follow the list of chats. A token that is limited to some chats may not. */
  isLive: boolean;
  open: number | undefined;
  /** Told the numbers of chats that were edited. */
  onEdited: (numbers: number[]) => void;
  onError: (error: unknown) => void;
}) {
  const { system, feed, isLive, open, onEdited, onError } = props;
  const read = useCallback((range: Range) => system.chats(range).page(), [system]);
  const { items: chats, version, attempt } = useWindow<Chat>(read, onError);
  useEffect(() => {
    let stop = () => {};
    const begin = async () => {
      const at = isLive ? (await system.changes()).change : 0;
      await chats.jumpToEnd();
      if (!isLive) return () => {};
      return feed.follow('chats', at, (step) => {
        if (step.chat_number !== undefined) return;
        if (step.reset) chats.jumpToEnd().catch(onError);
        chats.apply(
          step.data.map(({ type, chat }) => {
            const known = chats.items.find(({ number }) => number === chat.number);
            const item = { messages_count: known?.messages_count ?? 0, ...chat };
            return { number: chat.number, item: type === 'chat.deleted' ? undefined : (item as Chat) };
          }),
        );
        onEdited(step.data.filter(({ type }) => type === 'chat.edited').map(({ chat }) => chat.number));
      });
    };
    let isOver = false;
    begin().then((end) => {
      stop = end;
      if (isOver) end();
    }, onError);
    return () => {
      isOver = true;
      stop();
    };
  }, [system, feed, isLive, chats, attempt, onEdited, onError]);

  return (
    <Scroller
      label="Chats"
      version={version}
      onTop={() => chats.readAfter().catch(onError)}
      onBottom={() => chats.readBefore().catch(onError)}
    >
      {chats.isLoaded && chats.items.length === 0 && <p class="empty">There is no chat yet.</p>}
      <ol class="chats">
        {chats.items.toReversed().map((chat) => (
          <li key={chat.number} data-number={chat.number}>
            <a href={`#${chat.number}`} aria-current={chat.number === open ? 'page' : undefined}>
              <strong dir="auto">{chat.name ?? `Chat ${chat.number}`}</strong>
              <small>
                {chat.number} · {counted(chat.messages_count, 'message')}
              </small>
            </a>
          </li>
        ))}
      </ol>
    </Scroller>
  );
}
