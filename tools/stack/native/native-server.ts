import type { Say } from '../run.ts';
import type { Launch } from '../server-process.ts';

/** One of the servers of the native provider. */
export interface NativeServer {
  /** Installs what is missing, makes its folders and its configuration. */
  prepare: (say: Say) => Promise<Launch>;
  /** Whether it can be used. */
  ready: () => Promise<boolean>;
}
