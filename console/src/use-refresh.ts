import { useEffect } from 'preact/hooks';

/** The time between two reads of counts and pending numbers, which do not come live, in milliseconds. */
const refreshMs = 20_000;

/**
 * Calls a function regularly, while the page is visible.
 *
 * @param refresh must be stable between renders
 */
export function useRefresh(refresh: () => Promise<unknown>, onError: (error: unknown) => void): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) refresh().catch(onError);
    }, refreshMs);
    return () => clearInterval(timer);
  }, [refresh, onError]);
}
