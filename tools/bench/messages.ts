import { once } from '../../lib/once.ts';
import { Random } from '../statistics/random.ts';
import { readDeclarations } from '../texts/declarations.ts';

/** The length of a message in characters, the same as in the other figures. */
const length = 80;

/** The number of consecutive words that a message takes from one text. */
const phrase = { least: 2, most: 6 };

/**
 * Yields texts of messages, the same in each run: shuffled phrases of the Universal Declaration of Human Rights. Half
 * of the messages are in English and half in one of 530 other languages, so that scripts, words and parts of words are
 * about as frequent as in real messages.
 */
export function* messageTexts(seed = 1): Generator<string, never> {
  const random = new Random(seed);
  const [english, ...others] = wordsByLanguage();
  for (;;) {
    const words = (random.chance(0.5) ? english : random.pick(others)) as string[];
    let text = '';
    while (text.length < length) {
      const from = random.between(0, words.length - 1);
      for (const word of words.slice(from, from + random.between(phrase.least, phrase.most))) text += `${word} `;
    }
    yield text.slice(0, length).trim().toWellFormed();
  }
}

/** Returns the words of each declaration in order. English comes first. Reading the declarations takes 0.8 s. */
const wordsByLanguage = once(() =>
  readDeclarations()
    .toSorted((a, b) => Number(b.code === 'eng') - Number(a.code === 'eng'))
    .map(({ paragraphs }) => paragraphs.join(' ').split(/\s+/))
    .filter((words) => words.length > phrase.most),
);
