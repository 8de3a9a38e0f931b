import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parseFragment } from 'parse5';

/** The number of characters shown on each side of the first match, counted as a reader counts them. */
const context = 30;

const segmenter = new Intl.Segmenter();

/**
 * Returns the part of a search's `highlight` around its first match, as one line of plain text: entities are decoded,
 * and text in `<em>` is passed through `emphasise`.
 */
export function excerpt(highlight: string, emphasise: (text: string) => string): string {
  const characters = parseFragment(highlight).childNodes.flatMap((node) =>
    // Cut only between what readers see as characters, because half a Devanagari syllable is a different syllable.
    Array.from(segmenter.segment(textOf(node).replace(/\s+/g, ' ')), ({ segment }) => ({
      text: segment,
      match: defaultTreeAdapter.isElementNode(node),
    })),
  );
  const first = characters.findIndex(({ match }) => match);
  const length = characters.slice(first).findIndex(({ match }) => !match);
  const start = Math.max(first - context, 0);
  const end = length < 0 ? characters.length : first + length + context;

  let line = start > 0 ? '…' : '';
  for (let i = start; i < end && i < characters.length; ) {
    let run = '';
    const match = characters[i]?.match;
    for (; i < end && characters[i]?.match === match; i++) run += characters[i]?.text;
    line += match ? emphasise(run) : run;
  }
  return end < characters.length ? `${line}…` : line;
}

const textOf = (node: DefaultTreeAdapterTypes.ChildNode): string => {
  if (defaultTreeAdapter.isTextNode(node)) return node.value;
  return defaultTreeAdapter.isElementNode(node) ? node.childNodes.map(textOf).join('') : '';
};
