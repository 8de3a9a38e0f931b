import { randomBytes } from 'node:crypto';

/** The forms in which a log might contain a text: unchanged (as in URLs and JSON, for these characters) or encoded. */
function* formsOf(text: string): Generator<string> {
  yield text;
  yield encodeURIComponent(text);
  yield JSON.stringify(text).slice(1, -1);
  yield Buffer.from(text).toString('hex');
  // In Base64 a text has three forms, depending on its offset, and its ends depend on the neighbouring bytes.
  for (const before of ['', 'x', 'xx']) {
    const inside = Buffer.from(before + text)
      .toString('base64')
      .slice(before.length && 4);
    const whole = inside.slice(0, Math.floor((Buffer.byteLength(text) - 3) / 3) * 4);
    yield whole;
    yield whole.replaceAll('+', '-').replaceAll('/', '_');
  }
}

/** Texts that clients or operators entrust to the system, each of which can be recognized wherever it appears. */
export class Planted {
  readonly #texts: { what: string; text: string }[] = [];

  /** Returns a new unique text with characters that are escaped in various ways. */
  text(what: string): string {
    const mark = `${what.replace(/\W/g, '')}${randomBytes(12).toString('hex')}`;
    this.add(what, mark);
    return `${mark} é"'<&\\ ${mark}`;
  }

  /** Returns a new unique text of letters and digits only. */
  word(what: string): string {
    return this.text(what).split(' ')[0] as string;
  }

  /** Adds a text that the system generated or got earlier. */
  add(what: string, text: string): void {
    this.#texts.push({ what, text });
  }

  /** Returns the planted texts that can be read in a log, with their surroundings. */
  readableIn(log: string): string[] {
    return this.#texts.flatMap(({ what, text }) => {
      const form = [...formsOf(text)].find((one) => log.includes(one));
      if (form === undefined) return [];
      const at = log.indexOf(form);
      return [`${what}: ${log.slice(Math.max(0, at - 200), at + form.length + 20)}`];
    });
  }
}
