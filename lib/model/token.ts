import { randomBytes } from 'node:crypto';

/** Returns the token of a new application: 128 random bits as 22 url-safe characters. */
export const newToken = (): string => randomBytes(16).toString('base64url');

/** Returns whether a text has the shape of a token: 22 url-safe characters that hold exactly 128 bits. */
export const isToken = (text: string): boolean => /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text);

/** A text that is not a token: with 128 bits in 22 characters, the last character of a token is always A, Q, g or w. */
const invalidToken = 'no-application-has-it_';

/**
 * Returns the text if it has the shape of a token, otherwise a text that is no application's token. DynamoDB and MySQL
 * do not accept every text as a key, and MySQL would ignore trailing spaces.
 */
export const asToken = (text: string): string => (isToken(text) ? text : invalidToken);
