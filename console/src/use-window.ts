import { useEffect, useMemo, useReducer } from 'preact/hooks';
import { type Numbered, NumberedWindow } from './numbered-window.ts';

/** How often counts and pending numbers are read again, in milliseconds. */
const refreshMs = 20_000;

/**
 * Returns a window over a list for as long as `list` is the same, and a version that changes with its content.
 *
 * @param list must be stable between renders
 */
export function useWindow<Item extends Numbered>(
  list: ConstructorParameters<typeof NumberedWindow<Item>>[0],
  onError: (error: unknown) => void,
) {
  const [version, changed] = useReducer((count: number, _: undefined) => count + 1, 0);
  const items = useMemo(() => new NumberedWindow<Item>(list, () => changed(undefined)), [list]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) items.refresh().catch(onError);
    }, refreshMs);
    return () => clearInterval(timer);
  }, [items, onError]);
  return { items, version };
}
