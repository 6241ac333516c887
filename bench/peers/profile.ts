// Where a server's CPU time goes: node bench/peers/profile.ts FILE.cpuprofile prints it by package and by function.
// `run.ts --profile DIR` writes such files, one a server.

import { readFileSync } from "node:fs";

interface Profile {
  nodes: { id: number; children?: number[]; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Profile;
const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
const IDLE = new Set(["(idle)", "(program)", "(root)"]);

/** The package that a file belongs to; of the gateway's own its folder. */
function packageOf(url: string): string {
  const found = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? /\/(src\/[^/]+(?:\/[^/]+)?)/.exec(url)?.[1];
  return found ?? (url === "" ? "(engine)" : url.startsWith("node:") ? "node" : url);
}

const byPackage = new Map<string, number>();
const byFunction = new Map<string, number>();
/** With all that it calls. */
const withCallees = new Map<string, number>();
const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
const placeOf = (id: number) => {
  const { functionName, url, lineNumber } = frames.get(id)!;
  return `${functionName || "(anonymous)"} ${packageOf(url)} ${url.split("/").at(-1)}:${lineNumber + 1}`;
};
let total = 0;
samples.forEach((id, index) => {
  const { functionName, url } = frames.get(id)!;
  if (IDLE.has(functionName)) return;
  const micros = timeDeltas[index]!;
  total += micros;
  const name = packageOf(url);
  byPackage.set(name, (byPackage.get(name) ?? 0) + micros);
  const place = placeOf(id);
  byFunction.set(place, (byFunction.get(place) ?? 0) + micros);
  const stack = new Set<string>();
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.add(placeOf(at));
  for (const caller of stack) withCallees.set(caller, (withCallees.get(caller) ?? 0) + micros);
});
for (const [title, times, most] of [
  ["package", byPackage, 30],
  ["function", byFunction, 40],
  ["function, with what it calls", withCallees, 120],
] as const) {
  console.log(`\n% of ${(total / 1e6).toFixed(1)} s by ${title}`);
  for (const [name, micros] of [...times].sort((a, b) => b[1] - a[1]).slice(0, most)) {
    console.log(`${((micros / total) * 100).toFixed(1).padStart(5)}  ${name}`);
  }
}
