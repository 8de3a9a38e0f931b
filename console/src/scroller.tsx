import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

/** The next page is read when the view is nearer to an end than this, in pixels. */
const nearPx = 600;

interface Props {
  label: string;
  /** Changes whenever the content does. */
  version: unknown;
  /** The number of the item to bring into view, and a value that changes when it is to be brought again. */
  target?: { number: number; nonce: number } | undefined;
  /** Whether the view stays at the end when items are added there. */
  sticksToEnd?: boolean;
  onTop: () => void;
  onBottom: () => void;
  /** Called with whether the end is in view. */
  onAtEnd?: (atEnd: boolean) => void;
  children: ComponentChildren;
}

/**
 * A list that scrolls without an end. What the user reads stays in its place when items are added or dropped above it.
 * Items are the elements with `data-number`.
 */
export function Scroller({ label, version, target, sticksToEnd, onTop, onBottom, onAtEnd, children }: Props) {
  const ref = useRef<HTMLElement>(null);
  /** The element that stays in its place: its number, and its distance from the top of the view. */
  const anchor = useRef<{ number: string; top: number }>(undefined);
  const isAtEnd = useRef(true);
  const reached = useRef<number>(undefined);

  const look = () => {
    const view = ref.current;
    if (!view) return;
    const { top } = view.getBoundingClientRect();
    const first = [...view.querySelectorAll<HTMLElement>('[data-number]')].find(
      (each) => each.getBoundingClientRect().bottom > top,
    );
    anchor.current = first && {
      number: first.dataset.number ?? '',
      top: first.getBoundingClientRect().top - top,
    };
    const toEnd = view.scrollHeight - view.scrollTop - view.clientHeight;
    isAtEnd.current = toEnd < 40;
    onAtEnd?.(isAtEnd.current);
    if (view.scrollTop < nearPx) onTop();
    if (toEnd < nearPx) onBottom();
  };

  useLayoutEffect(() => {
    const view = ref.current;
    if (!view) return;
    const wanted = target && target.nonce !== reached.current && view.querySelector(`[data-number="${target.number}"]`);
    if (target && wanted) {
      reached.current = target.nonce;
      wanted.scrollIntoView({ block: 'center' });
    } else if (sticksToEnd && isAtEnd.current) view.scrollTop = view.scrollHeight;
    else if (anchor.current) {
      const kept = view.querySelector(`[data-number="${anchor.current.number}"]`);
      if (kept) {
        const top = kept.getBoundingClientRect().top - view.getBoundingClientRect().top;
        view.scrollTop += top - anchor.current.top;
      }
    }
  }, [version, target]);

  // The content becomes longer when the view becomes narrower, for example when the search results open.
  useEffect(() => {
    const view = ref.current;
    if (!view || !sticksToEnd) return;
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) view.scrollTop = view.scrollHeight;
    });
    observer.observe(view);
    return () => observer.disconnect();
  }, [sticksToEnd]);

  useEffect(look, [version]);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls only what can have the focus
    <section class="scroller" ref={ref} tabIndex={0} aria-label={label} onScroll={look}>
      {children}
    </section>
  );
}
