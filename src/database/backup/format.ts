import { createHash } from "node:crypto";

/** What a backup begins with: which database it is of. */
export interface Heading {
  readonly migrations: readonly { readonly name: string; readonly checksum: string }[];
  readonly tables: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

/** What it ends with, so that what is missing shows. */
export interface Ending {
  /** How many rows each table has. */
  readonly rows: Readonly<Record<string, number>>;
  /** Where each sequence stands that has given a number. */
  readonly sequences: Readonly<Record<string, string>>;
}

/** A database in pieces: one heading, rows of one table after the other, one ending. */
export type Part =
  | { readonly heading: Heading }
  | {
      readonly table: string;
      /** Each a JSON array of the columns' values as PostgreSQL writes them in text, which any version reads again exactly; null is NULL. */
      readonly rows: readonly string[];
    }
  | { readonly ending: Ending };

/** Why a text is no whole backup: a clause. */
export class BadBackup extends Error {}

const FORMAT = "customer-gateway backup 1";

/** A line of a backup that is no row. */
type Line = Partial<{ format: string; heading: Heading; table: string; ending: Ending; sha256: string }>;

/** The parts as lines of JSON: a row begins with `[`, everything else with `{`. The last line is the checksum of all before it. */
export async function* encode(parts: AsyncIterable<Part>): AsyncGenerator<string> {
  const hash = createHash("sha256");
  const hashed = (text: string) => (hash.update(text), text);
  const line = (content: Line) => hashed(`${JSON.stringify(content)}\n`);
  let table: string | undefined;
  for await (const part of parts) {
    if ("heading" in part) yield line({ format: FORMAT, ...part });
    else if ("ending" in part) yield line(part);
    else {
      if (part.table !== table) yield line({ table: (table = part.table) });
      yield hashed(part.rows.map((row) => `${row}\n`).join(""));
    }
  }
  yield `${JSON.stringify({ sha256: hash.digest("hex") })}\n`;
}

/** The same backwards. Gives rows as they come, so what it gave counts only when it comes to its end. Throws BadBackup. */
export async function* decode(chunks: AsyncIterable<string>): AsyncGenerator<Part> {
  const hash = createHash("sha256");
  let rest = "";
  let table: string | undefined;
  let state: "new" | "begun" | "ended" | "whole" = "new";
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf("\n");
    // A long line is put together once, when it has come to its end.
    if (end === -1) {
      rest += chunk;
      continue;
    }
    const lines = (rest + chunk.slice(0, end)).split("\n");
    rest = chunk.slice(end + 1);
    let rows: string[] = [];
    for (const text of lines) {
      if (text.startsWith("[")) {
        if (state !== "begun" || table === undefined) throw misplaced(state);
        rows.push(text);
      } else {
        if (rows.length > 0) yield { table: table!, rows };
        rows = [];
        const { format, heading, table: next, ending, sha256 } = read(text, state);
        if (state === "new" && heading) {
          if (format !== FORMAT) throw new BadBackup("its format is one that this version does not know");
          state = "begun";
          yield { heading };
        } else if (state === "begun" && next !== undefined) table = next;
        else if (state === "begun" && ending) {
          state = "ended";
          yield { ending };
        } else if (state === "ended" && sha256 !== undefined) {
          if (sha256 !== hash.digest("hex")) throw new BadBackup("it is damaged: its checksum is another");
          state = "whole";
          continue;
        } else throw misplaced(state);
      }
      hash.update(`${text}\n`);
    }
    if (rows.length > 0) yield { table: table!, rows };
  }
  if (state === "new") throw misplaced(state);
  if (state !== "whole" || rest !== "") throw new BadBackup("it is cut off before its end");
}

function read(text: string, state: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    throw misplaced(state);
  }
}

const misplaced = (state: string) => new BadBackup(state === "new" ? "it is no backup of the gateway" : "it is damaged");
