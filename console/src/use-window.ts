import { useCallback, useMemo, useReducer } from 'preact/hooks';
import { type Numbered, NumberedWindow } from './numbered-window.ts';
import { useRefresh } from './use-refresh.ts';

/**
 * Returns a window over a list for as long as `list` is the same, and a version that changes with its content. `attempt`
 * changes when the first page has not been read for a while, so that the view begins again.
 *
 * @param list must be stable between renders
 */
export function useWindow<Item extends Numbered>(
  list: ConstructorParameters<typeof NumberedWindow<Item>>[0],
  onError: (error: unknown) => void,
) {
  const [version, changed] = useReducer((count: number, _: undefined) => count + 1, 0);
  const items = useMemo(() => new NumberedWindow<Item>(list, () => changed(undefined)), [list]);
  const [attempt, again] = useReducer((count: number, _: undefined) => count + 1, 0);
  useRefresh(
    useCallback(async () => (items.isLoaded ? items.refresh() : again(undefined)), [items]),
    onError,
  );
  return { items, version, attempt };
}
