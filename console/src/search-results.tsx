import { useEffect, useState } from 'preact/hooks';
import type { ApplicationMatch, ChatMatch, ChatSystem } from '../../client/src/index.ts';
import { counted } from './counted.ts';
import { Highlight } from './highlight.tsx';

export interface Search {
  q: string;
  /** The chat to search; undefined searches the application. */
  chat: number | undefined;
}

type Match = ApplicationMatch | ChatMatch;

interface Found {
  data: Match[];
  next: string | null;
  total: number;
  total_is_minimum?: boolean | undefined;
}

/** The matches of a search, newest first, each a link to its message. */
export function SearchResults(props: {
  system: ChatSystem;
  search: Search;
  onChoose: () => void;
  onClose: () => void;
  onError: (error: unknown) => void;
}) {
  const { system, search, onChoose, onClose, onError } = props;
  const [found, setFound] = useState<Found>();
  const { q, chat } = search;
  const page = (cursor?: string): Promise<Found> =>
    chat === undefined ? system.search(q).page(cursor) : system.chat(chat).search(q).page(cursor);
  useEffect(() => {
    let isOver = false;
    setFound(undefined);
    page().then(
      (first) => !isOver && setFound(first),
      (failure) => {
        if (isOver) return;
        onError(failure);
        onClose();
      },
    );
    return () => {
      isOver = true;
    };
  }, [search]);
  const more = async (cursor: string) => {
    const following = await page(cursor);
    // If the button was pressed twice, or another search has begun, the page is dropped.
    setFound((before) =>
      before?.next === cursor ? { ...following, data: [...before.data, ...following.data] } : before,
    );
  };
  return (
    <aside class="results" aria-label="Search results">
      <header class="bar">
        <h2>
          {found
            ? `${counted(found.total, 'match', 'matches')}${found.total_is_minimum ? ' or more' : ''}`
            : 'Searching…'}
        </h2>
        <button type="button" class="quiet" aria-label="Close the search" onClick={onClose}>
          ✕
        </button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls only what can have the focus */}
      <section class="scroller" tabIndex={0} aria-label="Matches">
        <ol>
          {found?.data.map((match) => {
            const of = 'chat_number' in match ? match.chat_number : (chat as number);
            return (
              <li key={`${of}/${match.number}`}>
                <a href={`#${of}/${match.number}`} onClick={onChoose}>
                  <small>
                    <bdi>{match.sender ?? 'no sender'}</bdi> · chat {of} · #{match.number}
                  </small>
                  <p dir="auto">
                    <Highlight html={match.highlight} />
                  </p>
                </a>
              </li>
            );
          })}
        </ol>
        {found?.next && (
          <button type="button" onClick={() => more(found.next as string).catch(onError)}>
            Show more
          </button>
        )}
      </section>
    </aside>
  );
}
