/** What an access token can allow, in each of its chats. */
export const permissions = ['read', 'create', 'edit'] as const;

export type Permission = (typeof permissions)[number];

/** What the holder of an access token may do. */
export interface Holder {
  /** The sender of the holder's messages. */
  sender: string | null;
  /** The numbers of the chats that it is limited to; null for all chats of the application, later ones too. */
  chats: readonly number[] | null;
  can: readonly Permission[];
}

/** A holder while the access token is valid. */
export interface CurrentHolder extends Holder {
  /** The application's access generation when the access token was made; see `Ledger.accessGeneration`. */
  generation: number;
  /** When the access token expires, in milliseconds since 1970. */
  expiresAt: number;
}

/** Who makes a request for an application. */
export interface Caller {
  /** The application's token. */
  token: string;
  /** Undefined for whoever has the application's own token, which allows everything. */
  holder: CurrentHolder | undefined;
}
