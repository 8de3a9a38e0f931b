/** The body of a message of the usual length, 80 characters. */
export const usualBody = 'It was a bright cold day in April, and all of the clocks were striking thirteen.';
