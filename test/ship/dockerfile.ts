import { readFileSync } from "node:fs";

/** One instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** A stage: what it begins with (an image or an earlier stage), and what is done then. */
export interface Stage {
  readonly from: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, in order. */
export function readStages(path: string): Stage[] {
  const lines = readFileSync(path, "utf8")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const stages: { from: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line)!;
    if (name === "FROM") {
      const [, from, as] = /^(\S+) AS (\S+)$/.exec(rest!)!;
      stages.push({ from: from!, name: as!, instructions: [] });
    } else stages.at(-1)!.instructions.push({ name: name!, rest: rest! });
  }
  return stages;
}

/** All that is done to make a stage, those that it stands on first. */
export function instructionsOf(stages: readonly Stage[], name: string): Instruction[] {
  const stage = stages.find((one) => one.name === name);
  return stage ? [...instructionsOf(stages, stage.from), ...stage.instructions] : [];
}

/** The words of an instruction in its JSON form; a HEALTHCHECK's are its CMD's. */
export function wordsOf(instructions: readonly Instruction[], name: string): string[] {
  const { rest } = instructions.findLast((instruction) => instruction.name === name)!;
  return JSON.parse(rest.slice(rest.indexOf("["))) as string[];
}

/** The variables that ENV sets. */
export function variablesOf(instructions: readonly Instruction[]): Record<string, string> {
  const pairs = instructions.filter(({ name }) => name === "ENV").flatMap(({ rest }) => rest.split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => pair.split("=", 2) as [string, string]));
}

/**
 * Whether a file of the context is sent, by .dockerignore: the last pattern that fits decides. Knows `*`, and paths
 * of files and folders, with `!` or without.
 */
export function isSent(patterns: readonly string[], path: string): boolean {
  const fits = (pattern: string) => pattern === "*" || path === pattern || path.startsWith(`${pattern}/`);
  const last = patterns.findLast((pattern) => fits(pattern.replace(/^!/, "")));
  return last === undefined || last.startsWith("!");
}

/** The patterns of a .dockerignore. */
export function readIgnore(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}
