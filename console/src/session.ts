import { ChatSystem } from '../../client/src/index.ts';

/** What the user has logged in with. It is kept in sessionStorage, so that it ends with the tab, and never in a URL. */
export interface Session {
  /** The operator's key; empty where the deployment has none. */
  adminKey?: string;
  /** The token of the open application: its own, or an access token. */
  token?: string;
}

const key = 'chat-system-console';
/** How long a failed request is repeated before the page shows its problem, in milliseconds. */
const retryMs = 8_000;

export const readSession = (): Session => JSON.parse(sessionStorage.getItem(key) ?? '{}') as Session;

export const keepSession = (session: Session): void => sessionStorage.setItem(key, JSON.stringify(session));

/** The base URL of the API: the page is at `/console` below it, behind any prefix. */
export const apiUrl = (): string => location.origin + location.pathname.replace(/\/console$/, '');

export const systemOf = ({ adminKey, token }: Session): ChatSystem =>
  new ChatSystem({ url: apiUrl(), retryMs, ...(adminKey && { adminKey }), ...(token && { token }) });
