import { writeFileSync } from "node:fs";
import { CASES, type Server } from "./cases.ts";
import { type Figures, medians, ratio } from "./measure.ts";

/** What a run found: by case and server the rounds, and what each server held of memory at the end, in MB. */
export interface Results {
  readonly settings: { customers: number; rounds: number; seconds: number; connections: number };
  readonly machine: string;
  readonly rounds: Record<string, Partial<Record<Server, Figures[]>>>;
  readonly memory: Partial<Record<Server, number>>;
}

const NAMES: Record<Server, string> = {
  gateway: "customer-gateway",
  mercurius: "Mercurius, JIT, pg",
  postgraphile: "PostGraphile 5",
  apollo: "Apollo Server, Prisma",
  bare: "node:http, one SQL",
};

/** What the gateway is to reach, as a multiple of each. */
const GOALS: Record<string, Partial<Record<Server, number>>> = {
  one: { postgraphile: 1.5, mercurius: 1, bare: 0.6, apollo: 3 },
  fifty: { postgraphile: 1.5, mercurius: 1.5, bare: 0.5, apollo: 3 },
};

interface Line extends Figures {
  readonly server: Server;
  /** How many times as much the gateway answered, and the goal; null where there is none. */
  readonly ratio: number | null;
  readonly goal: number | null;
}

function linesOf({ rounds }: Results, name: string): Line[] {
  const of = rounds[name]!;
  return (Object.keys(of) as Server[]).map((server) => ({
    server,
    ...medians(of[server]!),
    ratio: server === "gateway" || !of.gateway ? null : ratio(of, "gateway", server),
    goal: GOALS[name]?.[server] ?? null,
  }));
}

/** One case as a table in Markdown. */
export function table(results: Results, name: string): string {
  const rows = linesOf(results, name).map(({ server, perSecond, p50, p99, cpu, ratio: times, goal }) =>
    [
      NAMES[server],
      Math.round(perSecond),
      p50,
      p99,
      cpu.toFixed(3),
      Math.round(results.memory[server] ?? 0),
      times === null ? "" : `${times.toFixed(2)} ×`,
      goal === null ? "" : `${goal} ×: ${times! >= goal ? "reached" : "not reached"}`,
    ].join(" | "),
  );
  return [
    `**${CASES[name]!.title}**`,
    "",
    "| server | requests/s | p50 ms | p99 ms | CPU ms a request | memory MB | the gateway is | goal |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

/** Requests a second as bars, each case by itself. */
function plot(results: Results): string {
  const BAR = 18;
  const WIDTH = 760;
  const parts: string[] = [];
  let y = 10;
  for (const name of Object.keys(results.rounds)) {
    parts.push(`<text x="10" y="${(y += 20)}" font-weight="bold">${CASES[name]!.title}, requests/s</text>`);
    const lines = linesOf(results, name);
    const most = Math.max(...lines.map(({ perSecond }) => perSecond));
    for (const { server, perSecond } of lines) {
      y += BAR + 4;
      const width = Math.max(1, (perSecond / most) * (WIDTH - 260));
      const fill = server === "gateway" ? "#1f6feb" : "#9aa4af";
      parts.push(`<text x="170" y="${y + 13}" text-anchor="end">${NAMES[server]}</text>`);
      parts.push(`<rect x="180" y="${y}" width="${width.toFixed(0)}" height="${BAR}" fill="${fill}"/>`);
      parts.push(`<text x="${(186 + width).toFixed(0)}" y="${y + 13}">${Math.round(perSecond)}</text>`);
    }
    y += BAR + 14;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 10}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>\n`;
}

const MARK = "<!-- written by `npm run bench` -->";

/** Writes the figures behind the method in docs/benchmarks.md, and the plot beside it. */
export function write(results: Results, file: string, text: string): void {
  const { customers, rounds, seconds, connections } = results.settings;
  const [method] = text.split(MARK);
  writeFileSync(file.replace(/\.md$/, ".svg"), plot(results));
  writeFileSync(
    file,
    [
      `${method}${MARK}`,
      "",
      `${customers.toLocaleString("en")} customers, ${connections} connections, medians of ${rounds} rounds of ${seconds} s; ${results.machine}.`,
      "",
      "![requests a second](benchmarks.svg)",
      "",
      Object.keys(results.rounds)
        .map((name) => table(results, name))
        .join("\n\n"),
      "",
    ].join("\n"),
  );
}
