import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const SOURCES = new URL("../../src/", import.meta.url);

/** A second process that runs `code`, an ES module in which `src(path)` imports a source file. */
export function startChild(code: string): ChildProcess {
  const prelude = `const src = (path) => import(new URL(path, ${JSON.stringify(SOURCES.href)}));\n`;
  return spawn(process.execPath, ["--input-type=module", "-e", prelude + code], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Everything the process prints until it prints `text`; rejects with what it printed if it ends before. */
export async function printed(child: ChildProcess, text: string): Promise<string> {
  let output = "";
  return new Promise((done, fail) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes(text)) done(output);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("close", (code) => fail(new Error(`ended with code ${code}: ${output}`)));
  });
}

/** kill -9, and waits until the process is gone. */
export async function killHard(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
