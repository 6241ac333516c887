#!/usr/bin/env node
// Plain JavaScript, so that any Node can begin here: the sources need the Node that the project brings.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const main = new URL("../src/cli/main.ts", import.meta.url);

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(main.href);
} else {
  const node = findNode();
  if (node === null) {
    console.error(
      `customer-gateway cannot run: this is Node ${process.versions.node}, and the one that the project brings is not installed. Fix: run \`npm ci\`, or use Node 24 or later.`,
    );
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => (process.exitCode = code ?? 128 + constants.signals[signal]));
}

function findNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
  } catch {
    return null;
  }
}
