import type { LiveStatus } from './live-feed.ts';
import { sentencesOf } from './problem.tsx';

const texts: Record<LiveStatus['state'], string> = {
  off: 'Not live',
  connecting: 'Connecting',
  live: 'Live',
  'catching up': 'Catching up',
  ended: 'Not live',
};

/** Shows whether changes appear by themselves. */
export function LiveBadge({ status }: { status: LiveStatus }) {
  return (
    <output
      class={`live is-${status.state.replace(' ', '-')}`}
      title={'error' in status ? sentencesOf(status.error) : undefined}
    >
      {texts[status.state]}
    </output>
  );
}
