import { log, logEvents } from '../functions/runtime/observe/log.ts';

/**
 * Does what an EventBridge schedule does on AWS: runs the work repeatedly, never twice at once, and waits this long
 * between runs. Returns how to stop it.
 */
export function every(milliseconds: number, name: string, work: () => Promise<unknown>): { stop: () => void } {
  let timer: NodeJS.Timeout;
  let stopped = false;
  const run = async () => {
    try {
      await work();
    } catch (error) {
      if (!stopped) log.error(logEvents.scheduleFailed, { schedule: name, error: error as Error });
    }
    if (!stopped) timer = setTimeout(run, milliseconds);
  };
  timer = setTimeout(run, milliseconds);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
