import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { isSent, type Instruction, readIgnore, readStages } from "./dockerfile.ts";

const CONTEXT = join(import.meta.dirname, "../..");

/**
 * Does what the Dockerfile's stages do, each in a folder of its own below `root` that stands for its file system, and
 * gives the last one's. RUN runs on this machine, in the stage's working directory, with npm and Node of this machine.
 * Throws at an instruction that it does not know.
 */
export function buildStages(root: string): string {
  const patterns = readIgnore(join(CONTEXT, ".dockerignore"));
  const stages = readStages(join(CONTEXT, "Dockerfile"));
  for (const { from, name, instructions } of stages) {
    const stage = join(root, name);
    mkdirSync(stage, { recursive: true });
    if (stages.some((other) => other.name === from)) cpSync(join(root, from), stage, { recursive: true, verbatimSymlinks: true });
    for (const instruction of instructions) take(root, stage, patterns, instruction);
  }
  return join(root, stages.at(-1)!.name);
}

/** The one working directory of all stages. */
const WORKDIR = "app";

function take(root: string, stage: string, patterns: readonly string[], { name, rest }: Instruction): void {
  const here = join(stage, WORKDIR);
  if (name === "WORKDIR") {
    if (rest !== `/${WORKDIR}`) throw new Error(`another working directory: ${rest}`);
    mkdirSync(here, { recursive: true });
  } else if (name === "RUN") execFileSync("sh", ["-c", rest], { cwd: here, env: npmEnvironment(), stdio: ["ignore", "ignore", "pipe"] });
  else if (name === "COPY") {
    const words = rest.split(/\s+/);
    const earlier = words[0]!.startsWith("--from=") ? words.shift()!.slice("--from=".length) : null;
    const target = words.pop()!;
    for (const word of words) {
      const source = earlier ? join(root, earlier, word) : join(CONTEXT, word);
      // Of several, and of one into a folder, each keeps its name.
      const to = target.endsWith("/") ? join(here, target, word) : join(here, target);
      mkdirSync(dirname(to), { recursive: true });
      const sent = (path: string) => earlier !== null || mayHoldSent(patterns, relative(CONTEXT, path));
      if (!sent(source)) throw new Error(`.dockerignore keeps ${word} back`);
      cpSync(source, to, { recursive: true, verbatimSymlinks: true, filter: sent });
    }
  } else if (!["ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"].includes(name)) throw new Error(`not known: ${name} ${rest}`);
}

/** A folder is entered when it is sent, or something in it may be. */
function mayHoldSent(patterns: readonly string[], path: string): boolean {
  return isSent(patterns, path) || patterns.some((pattern) => pattern.startsWith(`!${path}/`));
}

/** What npm may know of this run: not the test runner's variables, nor those by which npm ran it. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_(cache|registry|userconfig))|^NODE_|^VITEST|^INIT_CWD$/i.test(name),
  );
  return { ...Object.fromEntries(kept), npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };
}
