import { limits } from '../limits.ts';
import type { RefusedDocument, SearchDocument } from './search-index.ts';

/** Whether a chat of an application, or a message of a chat, can have this number. */
export const isValidNumber = (number: number): boolean =>
  Number.isInteger(number) && number >= 1 && number <= limits.highestNumber;

/** Tells documents whose message no index ever takes, because of its number, from the others. */
export function byValidNumbers(documents: SearchDocument[]): { valid: SearchDocument[]; refused: RefusedDocument[] } {
  const isValid = ({ chat, number }: SearchDocument) => isValidNumber(chat) && isValidNumber(number);
  return {
    valid: documents.filter(isValid),
    refused: documents
      .filter((document) => !isValid(document))
      .map((document) => ({ document, reason: `no message has the number ${document.chat}/${document.number}` })),
  };
}
