/** Strings, what opens and closes, and what stands between a name and its value: enough to tell names in valid JSON. */
const SIGNS = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * A member's name that stands twice in one object of a JSON text, or null. JSON.parse takes the last of both and says
 * nothing. The text must be valid JSON.
 */
export function repeatedMember(text: string): string | null {
  /** The names in each object that is open; a list has none. */
  const open: (Set<string> | null)[] = [];
  let last = "";
  for (const [sign] of text.matchAll(SIGNS)) {
    if (sign === "{") open.push(new Set());
    else if (sign === "[") open.push(null);
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === ":") {
      const names = open.at(-1)!;
      const name = JSON.parse(last) as string;
      if (names.has(name)) return name;
      names.add(name);
    } else last = sign;
  }
  return null;
}
