import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5';

/** Elements within a line of text; any other element starts and ends a block. */
const inline = new Set([
  'a',
  'abbr',
  'b',
  'bdi',
  'bdo',
  'cite',
  'em',
  'i',
  'q',
  'small',
  'span',
  'strong',
  'sub',
  'sup',
  'u',
]);

/** Matches what the API calls blank. */
const blank = /^\p{White_Space}*$/u;

/**
 * Returns the blocks of text in an HTML document (headings, paragraphs, list items …), in order, as a reader sees them:
 * entities are decoded, line breaks and indentation of the source become single spaces. Blank blocks are left out.
 */
export function textBlocks(html: string): string[] {
  const blocks: string[] = [];
  let text = '';
  const endBlock = () => {
    const seen = text.replace(/[ \t\n\f\r]+/g, ' ').replace(/^ | $/g, '');
    if (!blank.test(seen)) blocks.push(seen);
    text = '';
  };
  const visit = (node: DefaultTreeAdapterTypes.ChildNode) => {
    if (defaultTreeAdapter.isTextNode(node)) text += node.value;
    if (!defaultTreeAdapter.isElementNode(node) || node.tagName === 'head') return;
    const isBlock = !inline.has(node.tagName);
    if (isBlock) endBlock();
    node.childNodes.forEach(visit);
    if (isBlock) endBlock();
  };
  parse(html).childNodes.forEach(visit);
  return blocks;
}
