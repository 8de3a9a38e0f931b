const entities: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };

const unescaped = (text: string): string => text.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? '');

/** How many characters of a match are shown before its first highlighted part. */
const before = 80;
/** How many characters of a match are shown. */
const shown = 400;

/**
 * Shows the `highlight` of a match. It is HTML whose only tag is `<em>`. The parts between the tags are shown as text,
 * never as HTML.
 */
export function Highlight({ html }: { html: string }) {
  const first = html.indexOf('<em>');
  const parts = html.split(/<\/?em>/).map(unescaped);
  let room = shown;
  return (
    <>
      {parts.map((part, i) => {
        const isCut = i === 0 && first > before && part.length > before;
        const text = isCut
          ? `…${part.slice(-before)}`
          : part.length > room
            ? `${part.slice(0, Math.max(room, 0))}…`
            : part;
        if (room <= 0) return null;
        room -= text.length;
        return i % 2 ? <mark key={i}>{text}</mark> : text;
      })}
    </>
  );
}
