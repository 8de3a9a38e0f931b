import type { Say } from '../run.ts';
import type { Launch } from '../server-process.ts';

/** A server of the native provider. */
export interface NativeServer {
  /** Installs missing programs, and creates the folders and the configuration. */
  prepare: (say: Say) => Promise<Launch>;
  /** Returns whether the server can be used. */
  ready: () => Promise<boolean>;
}
