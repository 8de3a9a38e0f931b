import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { validationFailed } from './problems.ts';

/**
 * A cursor is where a page ended, with a checksum over that and over the list it belongs to, so that one that was
 * changed, or that comes from another list, query, order or filter, is refused.
 */
const checksum = (list: readonly unknown[], position: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([list, position]))
    .digest('base64url')
    .slice(0, 12);

/**
 * @param list everything that makes this list another one than its neighbours: operation, path parameters, filters, order
 * @param position where the page ended
 */
export const encodeCursor = (list: readonly unknown[], position: readonly (number | string)[]): string =>
  Buffer.from(JSON.stringify([checksum(list, position), ...position])).toString('base64url');

const envelope = z.tuple([z.string()], z.unknown());

/**
 * @returns the position, or undefined without a cursor
 * @throws Problem validation_failed for a cursor that is not of this list
 */
export function decodeCursor<Position extends z.ZodMiniType>(
  list: readonly unknown[],
  cursor: string | undefined,
  position: Position,
): z.output<Position> | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [, ...rest] = envelope.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (cursor === encodeCursor(list, rest as (number | string)[])) return position.parse(rest);
  } catch {
    // Whatever is wrong with it, the answer is the same.
  }
  throw validationFailed([{ pointer: 'cursor', detail: 'is not a cursor of this list; begin again without one' }]);
}
