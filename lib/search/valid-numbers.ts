import { isNumber } from '../model/bounds.ts';
import type { RefusedDocument, SearchDocument } from './search-index.ts';

/** Splits documents into those whose chat and message numbers are valid, and those that every index refuses. */
export function byValidNumbers(documents: SearchDocument[]): { valid: SearchDocument[]; refused: RefusedDocument[] } {
  const isValid = ({ chat, number }: SearchDocument) => isNumber(chat) && isNumber(number);
  return {
    valid: documents.filter(isValid),
    refused: documents
      .filter((document) => !isValid(document))
      .map((document) => ({ document, reason: `${document.chat}/${document.number} is not a valid message number` })),
  };
}
