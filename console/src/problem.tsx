import { ChatSystemError } from '../../client/src/index.ts';

/** Returns what went wrong, in sentences. */
export function sentencesOf(error: unknown): string {
  if (!(error instanceof ChatSystemError)) return `This is a bug of the console: ${String(error)}`;
  if (error.code === 'no_response') return 'The server does not respond. Check your connection, and try again.';
  if (error.code === 'access_token_expired') return 'The access token has expired. Log in again with another one.';
  if (error.code === 'access_token_invalid')
    return 'The token is not valid. It may have been ended, or its application deleted. Log in again with another one.';
  if (error.code === 'admin_key_required') return 'The admin key is missing or wrong.';
  const faults = error.errors.map(({ pointer, detail }) => `${pointer.replace(/^\//, '')} ${detail}.`);
  return faults.length > 0 ? faults.join(' ') : error.detail;
}

/** Shows a failure as sentences, with the id by which the operator finds the request. */
export function Problem({ error, onClose }: { error: unknown; onClose?: (() => void) | undefined }) {
  if (!error) return null;
  const requestId = error instanceof ChatSystemError ? error.requestId : undefined;
  return (
    <div class="problem" role="alert">
      <p dir="auto">
        {sentencesOf(error)}
        {requestId && (
          <small>
            Request <code>{requestId}</code>
          </small>
        )}
      </p>
      {onClose && (
        <button type="button" class="quiet" aria-label="Dismiss" onClick={onClose}>
          ✕
        </button>
      )}
    </div>
  );
}
