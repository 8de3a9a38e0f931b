import { useState } from 'preact/hooks';

/** Writes messages: Enter sends, Shift and Enter begin a new line. */
export function Composer({ onSend }: { onSend: (body: string, sender: string | null) => Promise<void> }) {
  const [body, setBody] = useState('');
  const [sender, setSender] = useState('');
  const [isBusy, setBusy] = useState(false);
  const send = async (event?: Event) => {
    event?.preventDefault();
    if (isBusy || body.trim() === '') return;
    setBusy(true);
    try {
      await onSend(body, sender.trim() || null);
      setBody('');
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="composer" onSubmit={send}>
      <input
        aria-label="Sender"
        placeholder="Sender"
        dir="auto"
        value={sender}
        maxLength={255}
        onInput={(event) => setSender(event.currentTarget.value)}
      />
      <textarea
        aria-label="Message"
        placeholder="Message"
        dir="auto"
        rows={1}
        value={body}
        maxLength={10_000}
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
