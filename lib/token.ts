import { randomBytes } from 'node:crypto';

/** A new application's token: 128 random bits as 22 url-safe characters. */
export const newToken = (): string => randomBytes(16).toString('base64url');

/** Has the shape of a token, but is none: 128 bits in 22 characters leave the last one only A, Q, g or w. */
const nobodysToken = 'no-application-has-it_';

/**
 * What a client sent as a token, or one that no application has when it can't be a token at all: keys of DynamoDB and
 * MySQL don't take every text, and MySQL would ignore spaces at its end.
 */
export const asToken = (text: string): string => (/^[A-Za-z0-9_-]{21}[AQgw]$/.test(text) ? text : nobodysToken);
