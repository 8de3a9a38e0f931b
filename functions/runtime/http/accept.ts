/** A media range of an Accept header, such as `text/*`, with its weight. */
interface Range {
  type: string;
  weight: number;
}

function rangesOf(accept: string): Range[] {
  return accept.split(',').map((element) => {
    const [type = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    return { type, weight: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 };
  });
}

/**
 * Returns which of these media types a client with this Accept header prefers (RFC 9110, section 12.5.1); undefined if
 * it accepts none. Of types with the same weight, the one that the header names most exactly is preferred, and then the
 * first. A client without the header accepts everything.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  types: readonly Type[],
): Type | undefined {
  const ranges = rangesOf(accept?.trim() || '*/*');
  let preferred: { type: Type; weight: number; exactness: number } | undefined;
  for (const type of types) {
    // The most exact range that matches a type decides its weight.
    const matching = [type, `${type.split('/')[0]}/*`, '*/*'].map((name) =>
      ranges.find((range) => range.type === name),
    );
    const at = matching.findIndex((range) => range !== undefined);
    const weight = matching[at]?.weight ?? 0;
    if (weight === 0) continue;
    const exactness = matching.length - at;
    if (!preferred || weight > preferred.weight || (weight === preferred.weight && exactness > preferred.exactness))
      preferred = { type, weight, exactness };
  }
  return preferred?.type;
}
