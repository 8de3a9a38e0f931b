import { randomBytes } from 'node:crypto';

/** The ways in which a log might carry a text: as it is (URLs and JSON leave these characters alone), or encoded. */
function* formsOf(text: string): Generator<string> {
  yield text;
  yield encodeURIComponent(text);
  yield JSON.stringify(text).slice(1, -1);
  yield Buffer.from(text).toString('hex');
  // In Base64 a text looks different at each of three places in what is around it; its ends depend on their neighbours.
  for (const before of ['', 'x', 'xx']) {
    const inside = Buffer.from(before + text)
      .toString('base64')
      .slice(before.length && 4);
    const whole = inside.slice(0, Math.floor((Buffer.byteLength(text) - 3) / 3) * 4);
    yield whole;
    yield whole.replaceAll('+', '-').replaceAll('/', '_');
  }
}

/** Texts that clients or operators entrust to the system, each to be known again wherever it appears. */
export class Planted {
  readonly #texts: { what: string; text: string }[] = [];

  /** A new text that is nowhere else, with characters that are escaped in one way or another. */
  text(what: string): string {
    const mark = `${what.replace(/\W/g, '')}${randomBytes(12).toString('hex')}`;
    this.add(what, mark);
    return `${mark} é"'<&\\ ${mark}`;
  }

  /** The same for where only letters and digits may be. */
  word(what: string): string {
    return this.text(what).split(' ')[0] as string;
  }

  /** A text that the system made, or was given before. */
  add(what: string, text: string): void {
    this.#texts.push({ what, text });
  }

  /** What of it can be read in a log, with the place. */
  readableIn(log: string): string[] {
    return this.#texts.flatMap(({ what, text }) => {
      const form = [...formsOf(text)].find((one) => log.includes(one));
      if (form === undefined) return [];
      const at = log.indexOf(form);
      return [`${what}: ${log.slice(Math.max(0, at - 200), at + form.length + 20)}`];
    });
  }
}
