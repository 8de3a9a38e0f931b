import { Random } from '../statistics/random.ts';
import { readDeclarations } from '../texts/declarations.ts';

/** As long as the messages of the other figures, in characters. */
const length = 80;

/** Words that follow one another in a message as they do in the text they are from. */
const phrase = { least: 2, most: 6 };

/**
 * Texts of messages, the same at each run: phrases of the Universal Declaration of Human Rights put together anew, every
 * second message in English and the others in one of 530 languages, so that scripts, words and parts of words are as
 * common and as rare as they are in life.
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

/** The words of each declaration, in its order; English comes first. */
const wordsByLanguage = (): string[][] =>
  readDeclarations()
    .toSorted((a, b) => Number(b.code === 'eng') - Number(a.code === 'eng'))
    .map(({ paragraphs }) => paragraphs.join(' ').split(/\s+/))
    .filter((words) => words.length > phrase.most);
