import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type ChatSystem, ChatSystemError, type ReadApplication } from '../../client/src/index.ts';
import { AccessTokenDialog } from './access-token-dialog.tsx';
import { ChatList } from './chat-list.tsx';
import { ChatView } from './chat-view.tsx';
import { counted } from './counted.ts';
import { FormDialog } from './form-dialog.tsx';
import { LiveBadge } from './live-badge.tsx';
import { LiveFeed, type LiveStatus } from './live-feed.ts';
import { goTo, usePlace } from './place.ts';
import { Problem } from './problem.tsx';
import { type Search, SearchResults } from './search-results.tsx';
import { useRefresh } from './use-refresh.ts';

/** Returns whether the search results have a column of their own. If so, they stay open when one is chosen. */
const isWide = () => matchMedia('(min-width: 1100px)').matches;

/** One application: its chats, the open chat, and the search. */
export function Workspace({ system, onLeave }: { system: ChatSystem; onLeave: () => void }) {
  const place = usePlace();
  const [application, setApplication] = useState<ReadApplication>();
  const [error, setError] = useState<unknown>();
  const [status, setStatus] = useState<LiveStatus>({ state: 'off' });
  const [search, setSearch] = useState<Search>();
  const [dialog, setDialog] = useState<'chat' | 'token'>();
  const [deleted, setDeleted] = useState<number>();
  const [edits, setEdits] = useState(0);
  const onError = useCallback((failure: unknown) => setError(failure), []);
  const onStatus = useCallback((next: LiveStatus) => {
    setStatus(next);
    // The server responds again.
    if (next.state === 'live') setError((shown: unknown) => (isNoResponse(shown) ? undefined : shown));
  }, []);
  const feed = useMemo(() => new LiveFeed(system, onStatus), [system, onStatus]);
  const readApplication = useCallback(() => system.getApplication().then(setApplication), [system]);
  useRefresh(readApplication, onError);
  useEffect(() => void readApplication().catch(onError), [readApplication, onError]);
  const openChat = useRef(place.chat);
  openChat.current = place.chat;
  const onEdited = useCallback((numbers: number[]) => {
    if (numbers.includes(openChat.current ?? 0)) setEdits((count) => count + 1);
  }, []);
  /**
   * With an access token, the response has no `token` and, if the access token is limited to some chats, no
   * `chats_count`.
   */
  const isOwner = application?.token !== undefined;
  const isLimited = application !== undefined && application.chats_count === undefined;
  // A new object for each navigation, so that the same number can be shown again.
  const target = useMemo(() => place.message && { number: place.message, nonce: Math.random() }, [place]) || undefined;

  const submitSearch = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const q = String(data.get('q'));
    if (q) setSearch({ q, chat: data.get('where') === 'chat' ? place.chat : undefined });
  };
  return (
    <div class={`workspace ${place.chat ? 'in-chat' : ''} ${search ? 'searching' : ''}`}>
      <header class="top">
        <button type="button" class="quiet" onClick={onLeave} aria-label="Leave the application">
          ‹
        </button>
        <h1 dir="auto">{application?.name ?? 'Application'}</h1>
        {application?.chats_count !== undefined && <small>{counted(application.chats_count, 'chat')}</small>}
        {application && !isOwner && <small>with an access token</small>}
        <LiveBadge status={status} />
        <search>
          {!(isLimited && !place.chat) && (
            <form onSubmit={submitSearch}>
              <input
                name="q"
                type="search"
                dir="auto"
                maxLength={256}
                required
                aria-label="Text to search"
                placeholder="Search"
              />
              <select key={place.chat} name="where" aria-label="Where to search">
                {place.chat && <option value="chat">this chat</option>}
                {!isLimited && <option value="all">all chats</option>}
              </select>
            </form>
          )}
        </search>
        {isOwner && (
          <button type="button" onClick={() => setDialog('token')}>
            Access token
          </button>
        )}
      </header>
      <Problem error={error} onClose={() => setError(undefined)} />
      {status.state === 'ended' && <Problem error={status.error} />}
      <nav class="side" aria-label="Chats">
        <header class="bar">
          <h2>Chats</h2>
          {isOwner && (
            <button type="button" onClick={() => setDialog('chat')}>
              New chat
            </button>
          )}
        </header>
        {application && (
          <ChatList
            system={system}
            feed={feed}
            isLive={!isLimited}
            open={place.chat}
            onEdited={onEdited}
            onError={onError}
          />
        )}
      </nav>
      <main class="chat">
        {!place.chat && <p class="empty">Choose a chat.</p>}
        {place.chat && place.chat === deleted && <p class="empty">This chat was deleted.</p>}
        {place.chat && place.chat !== deleted && (
          <ChatView
            key={place.chat}
            system={system}
            feed={feed}
            number={place.chat}
            target={target}
            isOwner={isOwner}
            edits={edits}
            onDeleted={setDeleted}
            onError={onError}
          />
        )}
      </main>
      {search && (
        <SearchResults
          system={system}
          search={search}
          onChoose={() => !isWide() && setSearch(undefined)}
          onClose={() => setSearch(undefined)}
          onError={onError}
        />
      )}
      {dialog === 'token' && (
        <AccessTokenDialog system={system} chat={place.chat} onClose={() => setDialog(undefined)} />
      )}
      {dialog === 'chat' && (
        <FormDialog
          title="New chat"
          action="Create"
          onClose={() => setDialog(undefined)}
          onSubmit={async (data) => {
            const name = String(data.get('name'));
            goTo({ chat: (await system.createChat(name ? { name } : {})).number });
          }}
        >
          <label for="name">Name</label>
          <input id="name" name="name" dir="auto" maxLength={255} placeholder="none" />
        </FormDialog>
      )}
    </div>
  );
}

const isNoResponse = (error: unknown): boolean => error instanceof ChatSystemError && error.code === 'no_response';
