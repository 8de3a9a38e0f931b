/** The account id that AWS emulators use. No real AWS account has it. */
export const emulatedAccount = '000000000000';
