import { isNumber } from '../model/bounds.ts';
import type { RefusedDocument, SearchDocument } from './search-index.ts';

/** Splits documents into those with valid numbers of chat and message, and those that every index refuses. */
export function byValidNumbers(documents: SearchDocument[]): { valid: SearchDocument[]; refused: RefusedDocument[] } {
  const isValid = ({ chat, number }: SearchDocument) => isNumber(chat) && isNumber(number);
  return {
    valid: documents.filter(isValid),
    refused: documents
      .filter((document) => !isValid(document))
      .map((document) => ({ document, reason: `no message has the number ${document.chat}/${document.number}` })),
  };
}
