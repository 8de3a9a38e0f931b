import { createHash } from 'node:crypto';
import { Cursors } from '../../../lib/api/cursors.ts';
import { fixedSecret } from '../../../lib/system-secret.ts';

/** A system secret that only tests use. */
export const testSecret = 'a-system-secret-of-tests-which-nobody-has-0';

/** Returns cursors that are signed with it. */
export const testCursors = (): Cursors => new Cursors(fixedSecret(testSecret));

/** Returns a cursor as releases up to 0.1 made them: with a checksum that every client can compute. */
export function oldCursor(list: unknown, position: unknown[]): string {
  const checksum = createHash('sha256')
    .update(JSON.stringify([list, position]))
    .digest('base64url')
    .slice(0, 12);
  return Buffer.from(JSON.stringify([checksum, ...position])).toString('base64url');
}
