/** Bits of an id that hold the message's number; the chat's ordinal stands above them. */
const numberBits = 32n;
export const largestNumber = (1n << numberBits) - 1n;

/** A message's id in the index: one chat is one range of ids, in order. */
export const documentId = (ordinal: number, number: number): bigint => (BigInt(ordinal) << numberBits) | BigInt(number);
