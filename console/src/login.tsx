import { useState } from 'preact/hooks';
import { ChatSystemError } from '../../client/src/index.ts';
import { Problem } from './problem.tsx';
import { type Session, systemOf } from './session.ts';

/** Returns whether a header can contain the text. If not, `fetch` would fail as if the server were not reachable. */
const isSendable = (secret: string): boolean => /^[ -~]*$/.test(secret);

/** Asks for the admin key or a token, and checks it before it is used. */
export function Login({ onLogin }: { onLogin: (session: Session) => void }) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const submit = (kind: 'adminKey' | 'token') => async (event: SubmitEvent) => {
    event.preventDefault();
    const secret = String(new FormData(event.currentTarget as HTMLFormElement).get(kind)).trim();
    const session: Session = { [kind]: secret };
    setBusy(true);
    setError(undefined);
    try {
      if (!isSendable(secret))
        throw new ChatSystemError({
          status: 0,
          code: 'not_sendable',
          detail: 'It contains a character that no key or token contains. Copy it again.',
        });
      const system = systemOf(session);
      await (kind === 'token' ? system.getApplication() : system.applications({ limit: 1 }).page());
      onLogin(session);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <h1>Console</h1>
      <p>Look at the applications, chats and messages of this chat system, live.</p>
      <Problem error={error} />
      <form onSubmit={submit('token')}>
        <label for="token">Token of an application, or an access token</label>
        <div class="row">
          <input id="token" name="token" type="password" autocomplete="off" required />
          <button type="submit" class="primary" disabled={isBusy}>
            Open application
          </button>
        </div>
      </form>
      <form onSubmit={submit('adminKey')}>
        <label for="admin-key">Admin key of the system</label>
        <div class="row">
          <input id="admin-key" name="adminKey" type="password" autocomplete="off" aria-describedby="key-hint" />
          <button type="submit" disabled={isBusy}>
            List applications
          </button>
        </div>
        <small id="key-hint">Leave it empty if the system has no admin key.</small>
      </form>
      <p class="hint">The browser keeps what you enter until you close this tab. It is never part of a URL.</p>
    </main>
  );
}
