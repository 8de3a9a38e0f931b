/** Text that is written as it is. */
class Written {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const [comma, endOfArray, endOfObject] = [new Written(','), new Written(']'), new Written('}')];

/**
 * Returns the one JSON text of a value that `JSON.parse` returned: without white space, and with the members of objects
 * in the order of their names. Two bodies have the same text exactly when they contain the same JSON.
 *
 * `JSON.stringify` with sorted members would be recursive, and a body may be nested 30,000 deep.
 */
export function canonicalJson(value: unknown): string {
  const pieces: string[] = [];
  // What is still to be written, in reverse order.
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (next instanceof Written) pieces.push(next.text);
    else if (Array.isArray(next)) {
      pieces.push('[');
      rest.push(endOfArray);
      for (let i = next.length - 1; i >= 0; i--) rest.push(next[i], ...(i > 0 ? [comma] : []));
    } else if (typeof next === 'object' && next !== null) {
      pieces.push('{');
      rest.push(endOfObject);
      const names = Object.keys(next).sort().reverse();
      for (const [i, name] of names.entries()) {
        rest.push((next as Record<string, unknown>)[name], new Written(`${JSON.stringify(name)}:`));
        if (i < names.length - 1) rest.push(comma);
      }
      // A number beyond the range of a double is infinite, which JSON.stringify writes as null.
    } else pieces.push(typeof next === 'number' ? String(next) : JSON.stringify(next));
  }
  return pieces.join('');
}
