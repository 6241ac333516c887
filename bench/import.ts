import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchRow } from "../test/support/customers.ts";

/**
 * `customer-gateway import` of many rows with 3 % faults of all kinds, through a gateway of its own process, against
 * `\copy` of what came of them into a table with the same columns and indexes, right after it on the same database.
 * `DATABASE_URL=postgres://… ROWS=1000000 node bench/import.ts` needs an empty database, psql and Linux; it prints
 * rates, their ratio, the most memory that gateway and importer held, and the CPU time that each took.
 */
const ROWS = Number(process.env["ROWS"] ?? 1_000_000);
const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) throw new Error("set DATABASE_URL to an empty PostgreSQL database");
const dir = mkdtempSync(join(tmpdir(), "customer-gateway-bench-"));
const env = {
  ...process.env,
  PORT: "4987",
  DATA_DIR: dir,
  LOG_LEVEL: "error",
  ROW_LEVEL_SECURITY: "on",
  GATEWAY_KEYRING: Buffer.alloc(32, 7).toString("base64"),
};
const main = new URL("../src/cli/main.ts", import.meta.url).pathname;
const run = (...words: string[]) => spawn(process.execPath, [main, ...words], { env, stdio: ["ignore", "pipe", "inherit"] });

const COLUMNS = [
  "clientRef",
  "firstname",
  "lastname",
  "accountName",
  "email",
  "country",
  "state",
  "address",
  "phone",
  "accountNumber",
  "reference",
];

/** Every hundredth row lacks a name, has a wrong e-mail, or repeats an earlier one in its batch or of one long before. */
function rowOf(index: number): Record<string, string> {
  const more = { state: "Lagos", address: `${index % 900} Example Street`, phone: `+23480${String(10_000_000 + (index % 90_000_000))}` };
  const row = batchRow(index, more) as Record<string, string>;
  if (index % 100 === 30) return { ...row, lastname: "" };
  if (index % 100 === 60) return { ...row, email: "nowhere" };
  if (index % 200 === 90) return { ...row, reference: `ref-${index - 1}` };
  if (index % 200 === 190 && index > 10_000) return { ...row, clientRef: `client-${index - 10_001}` };
  return row;
}

async function writeFile(path: string): Promise<void> {
  const file = createWriteStream(path);
  file.write(`${COLUMNS.join(",")}\n`);
  for (let index = 0; index < ROWS; index++) {
    const row = rowOf(index);
    if (!file.write(`${COLUMNS.map((column) => row[column]).join(",")}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}

/** A file of Linux about a process; empty when the process is gone. */
function about(pid: number | undefined, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** The most resident memory that a process has held, in MB, and the CPU time that it has taken, in seconds; read while it lives. */
class Meter {
  peak = 0;
  seconds = 0;

  read(pid: number | undefined): this {
    this.peak = Math.max(this.peak, Number(/VmHWM:\s+(\d+) kB/.exec(about(pid, "status"))?.[1] ?? 0) / 1024);
    // Behind the name, which may hold spaces: the 14th and the 15th field, in hundredths of a second.
    const [user, system] = about(pid, "stat")
      .replace(/^.*\) /s, "")
      .split(" ")
      .slice(11, 13)
      .map(Number);
    this.seconds = Math.max(this.seconds, ((user ?? 0) + (system ?? 0)) / 100);
    return this;
  }
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (part: string) => (text += part));
  await once(child, "close");
  return text;
}

const psql = (...commands: string[]) =>
  textOf(spawn("psql", ["-qAt", databaseUrl, ...commands.flatMap((command) => ["-c", command])], { stdio: ["ignore", "pipe", "inherit"] }));

/** Where PostgreSQL is on this machine, its processes that serve the gateway. */
const BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'customer-gateway'";

const path = join(dir, "customers.csv");
await writeFile(path);
const gateway = run("start");
try {
  let printed = "";
  gateway.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  while (!printed.includes("ready at")) await once(gateway.stdout, "data");
  const scopes = "batches:write,customers:read:extended,keys:manage";
  const words = ["keys", "create", "--bank", "bench", "--mode", "sandbox", "--audience", "INTERNAL", "--scopes", scopes, "--json"];
  const { key } = JSON.parse(await textOf(run(...words))) as { key: string };

  const meters = { gateway: new Meter(), importer: new Meter() };
  const backends = new Map<number, Meter>();
  const [startedAt, before] = [performance.now(), new Meter().read(gateway.pid).seconds];
  const importer = run("import", path, "--url", "http://127.0.0.1:4987", "--key", key, "--json");
  const watch = setInterval(() => {
    meters.importer.read(importer.pid);
    meters.gateway.read(gateway.pid);
    for (const [pid, meter] of backends) meter.read(pid);
  }, 100);
  // PostgreSQL's processes come and go.
  const lookUp = setInterval(async () => {
    for (const pid of (await psql(BACKENDS)).split("\n").filter(Boolean))
      if (!backends.has(Number(pid))) backends.set(Number(pid), new Meter());
  }, 1000);
  const summary = await textOf(importer);
  clearInterval(watch);
  clearInterval(lookUp);
  const seconds = (performance.now() - startedAt) / 1000;
  const importRate = ROWS / seconds;
  console.log(summary.trim());

  const rows = join(dir, "rows.csv");
  const written = Number(
    await psql("SELECT count(*) FROM customer WHERE bank_id = 'bench'", `\\copy customer TO ${rows} CSV`).then(
      (text) => text.split("\n")[0],
    ),
  );
  await psql("CREATE TABLE copied (LIKE customer INCLUDING ALL)");
  const copyStarted = performance.now();
  await psql(`\\copy copied FROM ${rows} CSV`);
  const copyRate = (written * 1000) / (performance.now() - copyStarted);
  await psql("DROP TABLE copied");
  console.log(
    `${ROWS} rows, ${written} of them written; memory at most: gateway ${meters.gateway.peak.toFixed(0)} MB, importer ${meters.importer.peak.toFixed(0)} MB`,
  );
  const cpu = { gateway: meters.gateway.seconds - before, importer: meters.importer.seconds, PostgreSQL: 0 };
  for (const backend of backends.values()) cpu.PostgreSQL += backend.seconds;
  const perBatch = Object.entries(cpu).map(([name, busy]) => `${name} ${((busy * 1000 * 500) / ROWS).toFixed(1)} ms`);
  console.log(`CPU time a batch of 500: ${perBatch.join(", ")}; ${((seconds * 1000 * 500) / ROWS).toFixed(1)} ms by the clock`);
  console.log(`import ${importRate.toFixed(0)} rows/s, \\copy ${copyRate.toFixed(0)} rows/s: ${(importRate / copyRate).toFixed(2)}`);
} finally {
  gateway.kill("SIGTERM");
  await once(gateway, "close");
  rmSync(dir, { recursive: true, force: true });
}
