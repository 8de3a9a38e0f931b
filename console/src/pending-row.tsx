/** A number, or consecutive numbers, whose messages are accepted but not stored yet. */
export function PendingRow({ number, last }: { number: number; last: number }) {
  return (
    <li data-number={number} class="message">
      <span class="number">{number === last ? `#${number}` : `#${number} to #${last}`}</span>{' '}
      <small class="pending">accepted, not stored yet</small>
    </li>
  );
}
