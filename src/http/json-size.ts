/**
 * How much a JSON text may hold. Parsing is what it costs to refuse it, on the one thread that serves everybody: a
 * megabyte of brackets takes a hundred times as long as a megabyte of text. 500 customers with all they can have are
 * 10,000 values.
 */
const MOST = { levels: 64, values: 12_500 };

const [QUOTE, BACKSLASH, COMMA] = ['"', "\\", ","].map((sign) => sign.charCodeAt(0)) as [number, number, number];
const OPENS = new Set(["[", "{"].map((sign) => sign.charCodeAt(0)));
const CLOSES = new Set(["]", "}"].map((sign) => sign.charCodeAt(0)));

/** What is too much in a JSON text, as the rest of a sentence, or null. A text that is no JSON is measured all the same. */
export function overgrown(text: string): string | null {
  let levels = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (sign === QUOTE) at = endOfString(text, at);
    else if (CLOSES.has(sign)) levels--;
    else if (sign === COMMA || OPENS.has(sign)) {
      if (sign !== COMMA && ++levels > MOST.levels) return `nests deeper than ${MOST.levels} levels`;
      if (++values > MOST.values) return `holds more than ${MOST.values} values`;
    }
  }
  return null;
}

/** Where the string ends that begins there: at its closing quote, or past the text. */
function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
  } while (end >= 0 && isEscaped(text, end));
  return end < 0 ? text.length : end;
}

/** An odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}
