/** The account that emulators play; no account of AWS has this number. */
export const emulatedAccount = '000000000000';
