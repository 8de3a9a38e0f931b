import { useEffect, useState } from 'preact/hooks';

/** What the page shows of the open application. It is in the fragment of the URL, which has numbers only. */
export interface Place {
  chat?: number;
  message?: number;
}

/** Returns the place in the URL. */
export const currentPlace = (): Place => {
  const [, chat, message] = /^#([1-9]\d*)(?:\/([1-9]\d*))?$/.exec(location.hash) ?? [];
  return { ...(chat && { chat: Number(chat) }), ...(message && { message: Number(message) }) };
};

/** Goes to a place, as a link does. */
export function goTo({ chat, message }: Place): void {
  location.hash = chat ? `${chat}${message ? `/${message}` : ''}` : '';
}

/** Returns the place, and renders again when it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(currentPlace);
  useEffect(() => {
    const update = () => setPlace(currentPlace());
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  return place;
}
