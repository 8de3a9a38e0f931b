import { useState } from 'preact/hooks';

/** Writes messages: Enter sends, Shift and Enter begin a new line. */
export function Composer(props: {
  /** Whether the user names the sender. An access token has its own. */
  asksSender: boolean;
  /** Resolves with whether it was sent. */
  onSend: (body: string, sender: string | null) => Promise<boolean>;
}) {
  const [body, setBody] = useState('');
  const [sender, setSender] = useState('');
  const [isBusy, setBusy] = useState(false);
  const send = async (event?: Event) => {
    event?.preventDefault();
    if (isBusy || body.trim() === '') return;
    setBusy(true);
    setBody('');
    // What the user has typed meanwhile stays.
    if (!(await props.onSend(body, sender.trim() || null))) setBody((typed) => (typed ? `${body}\n${typed}` : body));
    setBusy(false);
  };
  return (
    <form class="composer" onSubmit={send}>
      {props.asksSender && (
        <input
          aria-label="Sender"
          placeholder="Sender"
          dir="auto"
          value={sender}
          onInput={(event) => setSender(event.currentTarget.value)}
        />
      )}
      <textarea
        aria-label="Message"
        placeholder="Message"
        dir="auto"
        rows={1}
        value={body}
        onInput={(event) => setBody(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) void send(event);
        }}
      />
      <button type="submit" class="primary" disabled={isBusy}>
        Send
      </button>
    </form>
  );
}
