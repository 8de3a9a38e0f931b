import { useState } from 'preact/hooks';
import type { Message } from '../../client/src/index.ts';

/** A body with more characters or lines than this is shown only in part at first. */
const long = { characters: 1_200, lines: 18 };
/** Metadata up to this many characters stand on one line. */
const shortMetadata = 120;

const isLong = (body: string) => body.length > long.characters || body.split('\n', long.lines + 1).length > long.lines;

/** One message, with what can be done with it. */
export function MessageRow(props: {
  message: Message;
  isPending: boolean;
  isTarget: boolean;
  onEdit: () => void;
  onDelete: () => void;
}) {
  const { message, isPending, isTarget, onEdit, onDelete } = props;
  const [isWhole, setWhole] = useState(false);
  const { number, sender, body, metadata } = message;
  const json = JSON.stringify(metadata);
  return (
    <li data-number={number} class={isTarget ? 'message target' : 'message'} aria-label={`Message ${number}`}>
      <header>
        <strong dir="auto" class={sender === null ? 'nobody' : ''}>
          {sender ?? 'no sender'}
        </strong>
        <span class="number">#{number}</span>
        <time dateTime={message.created_at} title={message.created_at}>
          {new Date(message.created_at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}
        </time>
        {message.updated_at !== message.created_at && <small title={message.updated_at}>edited</small>}
        {isPending && <small class="pending">accepted, not stored yet</small>}
        <span class="actions">
          <button type="button" class="quiet" aria-label={`Edit message ${number}`} onClick={onEdit}>
            Edit
          </button>
          <button type="button" class="quiet" aria-label={`Delete message ${number}`} onClick={onDelete}>
            Delete
          </button>
        </span>
      </header>
      <p class={isLong(body) && !isWhole ? 'body short' : 'body'} dir="auto">
        {body}
      </p>
      {isLong(body) && (
        <button type="button" class="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Show less' : `Show all ${[...body].length.toLocaleString('en')} characters`}
        </button>
      )}
      {json !== '{}' &&
        (json.length <= shortMetadata ? (
          <code class="metadata">{json}</code>
        ) : (
          <details class="metadata">
            <summary>Metadata</summary>
            <pre>{JSON.stringify(metadata, null, 2)}</pre>
          </details>
        ))}
    </li>
  );
}
