import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';

/** A sample of Prometheus's text format: its name with labels, and its value. */
const sample =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? ([0-9.]+(?:e[+-]?[0-9]+)?|\+Inf|NaN)$/;

/**
 * Checks a text by the rules of Prometheus's text format: each metric has one HELP and one TYPE before its samples, each
 * sample belongs to the metric above it and occurs once, buckets do not decrease, and the last one is the count. Prometheus's
 * own promtool checks the text too.
 *
 * @returns the values by name and labels
 */
export function parseMetrics(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true);
  const values = new Map<string, number>();
  const seen = new Set<string>();
  let [family, type] = ['', ''];
  const lines = text.slice(0, -1).split('\n');
  for (const [i, line] of lines.entries()) {
    const help = /^# HELP (\S+) \S.*$/.exec(line);
    if (help) {
      family = help[1] as string;
      expect(seen, line).not.toContain(family);
      seen.add(family);
      type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[i + 1] ?? '')?.[2] ?? '';
      expect(lines[i + 1]).toBe(`# TYPE ${family} ${type}`);
      continue;
    }
    if (line.startsWith('# TYPE ')) continue;
    const [, name, labels = '', value] = sample.exec(line) ?? [];
    const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    expect(
      suffixes.map((suffix) => family + suffix),
      line,
    ).toContain(name);
    expect(values.has(`${name}${labels}`), `${line} occurs twice`).toBe(false);
    // Only summaries may have it, and there are none.
    expect(labels).not.toContain('quantile=');
    if (type === 'counter') expect(name).toMatch(/_total$/);
    values.set(`${name}${labels}`, Number(value?.replace('+Inf', 'Infinity')));
  }
  expectBuckets(values);
  execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] });
  return values;
}

function expectBuckets(values: Map<string, number>): void {
  const highest = new Map<string, number>();
  for (const [name, value] of values) {
    const [, series, bound] = /^(.*_bucket\{.*),le="([^"]+)"\}$/.exec(name) ?? [];
    if (series === undefined) continue;
    expect(value, name).toBeGreaterThanOrEqual(highest.get(series) ?? 0);
    highest.set(series, value);
    if (bound === '+Inf') expect(values.get(`${series.replace('_bucket', '_count')}}`), name).toBe(value);
  }
}
