/** The columns of a message that both references read. */
export interface Row {
  number: number;
  sender: string | null;
  body: string;
  metadata: string | null;
  created_at: number;
  updated_at: number;
}

/** Returns the message as the API does. */
export const viewOf = ({ number, sender, body, metadata, created_at, updated_at }: Row) => ({
  number,
  sender,
  body,
  metadata: metadata === null ? {} : JSON.parse(metadata),
  created_at: new Date(created_at).toISOString(),
  updated_at: new Date(updated_at).toISOString(),
});
