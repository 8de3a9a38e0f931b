import { randomBytes } from 'node:crypto';

/** A new application's token: 128 random bits as 22 url-safe characters. */
export const newToken = (): string => randomBytes(16).toString('base64url');

/** Whether a text has the shape of a token: 22 url-safe characters that hold exactly 128 bits. */
export const isToken = (text: string): boolean => /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text);

/** Has the shape of a token, but is none: 128 bits in 22 characters leave the last one only A, Q, g or w. */
const nobodysToken = 'no-application-has-it_';

/**
 * What a client sent as a token, or one that no application has when it can't be a token at all: keys of DynamoDB and
 * MySQL don't take every text, and MySQL would ignore spaces at its end.
 */
export const asToken = (text: string): string => (isToken(text) ? text : nobodysToken);
