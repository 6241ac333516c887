import { once } from "node:events";
import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Checkpoint } from "../../src/cli/import-checkpoint.ts";
import {
  csv,
  csvRow,
  customersOf,
  file,
  imported,
  numbers,
  openPlace,
  type Place,
  readCsv,
  runImport,
  start,
  startPiped,
} from "./import-fixture.ts";
import { keyFor, ON_POSTGRES } from "../support/process.ts";

/** What a connection may do to a request: `pass` it on, lose its answer, or answer by itself. */
type Fate =
  | "pass"
  | "lose the answer"
  | "cut"
  | { status: number; headers?: Record<string, string>; body?: string }
  | { headers: Record<string, string> };

/** Stands between the importer and the real gateway. `fate` is asked for each request of a batch, with its number from 1. */
async function between(place: Place, fate: (number: number) => Fate | Promise<Fate>) {
  const seen: { at: number; body: string }[] = [];
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    // Whose the key is, is asked before anything is sent, and not what breaks here.
    const what = body.includes("query ImportViewer") ? "pass" : await fate(seen.push({ at: performance.now(), body }));
    if (what === "cut") return void request.socket.destroy();
    if (typeof what === "object" && "status" in what) return void response.writeHead(what.status, what.headers).end(what.body ?? "");
    const { authorization } = request.headers;
    const reply = await fetch(`${place.url}/graphql`, {
      method: "POST",
      headers: { authorization: authorization!, "content-type": "application/json" },
      body,
    });
    const answered = await reply.text();
    if (what === "lose the answer") return void request.socket.destroy();
    response.writeHead(reply.status, { "content-type": "application/json", ...(typeof what === "object" && what.headers) }).end(answered);
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: place.key, seen };
}

const keyOf = (body: string) => (JSON.parse(body) as { variables: { input: { idempotencyKey: string } } }).variables.input.idempotencyKey;
const checkpointOf = (path: string) => JSON.parse(readFileSync(`${path}.checkpoint`, "utf8")) as Checkpoint;

describe("import over connections that break", () => {
  it("sends again what may be sent again, under the same key, when the gateway says so; nothing is there twice", async () => {
    const place = await openPlace();
    const fates: Fate[] = [
      "lose the answer",
      "cut",
      { status: 503, headers: { "retry-after": "1" } },
      { status: 502, body: "<html>" },
      "pass",
    ];
    const connection = await between(place, (number) => fates[number - 1] ?? "pass");
    const path = file(place, "bank.csv", csv([...numbers(1, 99).map((number) => csvRow(number)), csvRow(1)]));
    const { code, summary, stderr } = await runImport(connection, path, "--batch-size", "50", "--concurrency", "1");
    expect({ code, summary }).toMatchObject({
      code: 2,
      summary: {
        rows: { created: 99, failed: 1 },
        failures: { byCode: { EXISTING_CUSTOMER: 1 } },
        batches: { sent: 2, replayed: 1 },
        // With the one that asks whose the key is.
        requests: { sent: 7, failed: 4 },
      },
    });
    expect(stderr).toContain("Trying again");
    expect(new Set(connection.seen.slice(0, 5).map(({ body }) => keyOf(body))).size).toBe(1);
    expect(keyOf(connection.seen[5]!.body)).not.toBe(keyOf(connection.seen[4]!.body));
    expect(connection.seen[3]!.at - connection.seen[2]!.at).toBeGreaterThan(990);
    expect((await customersOf(place)).size).toBe(99);
  });

  it("waits as a 429 and the rate limit's headers say, before it sends more", async () => {
    const place = await openPlace();
    const limited = () => ({ headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 2) } });
    const connection = await between(place, (number) =>
      number === 1 ? { status: 429, headers: { "retry-after": "2" } } : number === 2 ? limited() : "pass",
    );
    const path = file(place, "bank.csv", csv(numbers(1, 30).map((number) => csvRow(number))));
    // More patience than the gateway asks for is not needed: what it tells to wait is not counted.
    expect(await runImport(connection, path, "--batch-size", "10", "--concurrency", "1", "--retry-for", "1")).toMatchObject({ code: 0 });
    const [first, second, third] = connection.seen.map(({ at }) => at);
    expect(second! - first!).toBeGreaterThan(1990);
    expect(third! - second!).toBeGreaterThan(990);
    expect(connection.seen).toHaveLength(4);
  });

  it("never again after 400, 401 and 403; gives up on a gateway that stays away, and goes on when it is back", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv(numbers(1, 40).map((number) => csvRow(number))));
    const words = [path, "--batch-size", "10", "--concurrency", "1"];
    for (const status of [400, 401, 403]) {
      const refusing = await between(place, (number) => (number === 1 ? { status } : "pass"));
      const { code, summary } = await runImport(refusing, ...words, "--checkpoint", `${path}.${status}`);
      expect({ code, ending: summary!.ending, sent: refusing.seen.length, unread: summary!.lines.unread }).toEqual({
        code: 1,
        ending: "refused",
        sent: 1,
        // The header among them: nothing was written down.
        unread: 41,
      });
    }
    let away = true;
    const connection = await between(place, (number) => (away && number > 2 ? "cut" : "pass"));
    const stopped = await runImport(connection, ...words, "--retry-for", "1");
    expect(stopped).toMatchObject({
      code: 3,
      summary: { ending: "stopped", lines: { sent: 20, refused: 0, unread: 20 } },
      stderr: expect.stringContaining("does not answer"),
    });
    away = false;
    expect(await runImport(connection, ...words)).toMatchObject({
      code: 0,
      summary: { lines: { sent: 40, unread: 0 }, rows: { created: 40 }, batches: { sent: 4 } },
    });
    expect((await customersOf(place)).size).toBe(40);
  });

  it("stops in order at SIGTERM: what is on its way is waited for and written down, and the next run goes on", async () => {
    const place = await openPlace();
    const reached = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const connection = await between(place, async (number): Promise<Fate> => {
      if (number === 3) reached.resolve();
      if (number === 3) await release.promise;
      return "pass";
    });
    const path = file(place, "bank.csv", csv(numbers(1, 100).map((number) => csvRow(number))));
    const run = start(connection, "import", path, "--batch-size", "10", "--concurrency", "1", "--json");
    await reached.promise;
    run.child.kill("SIGTERM");
    await sleep(2000);
    release.resolve();
    const stopped = imported(await run.ended);
    expect(stopped).toMatchObject({ code: 3, summary: { ending: "stopped", lines: { sent: 30, unread: 70 }, rows: { created: 30 } } });
    const { code, summary } = await runImport(connection, path, "--batch-size", "10", "--concurrency", "1");
    expect({ code, summary }).toMatchObject({ code: 0, summary: { rows: { created: 100 }, batches: { sent: 10, replayed: 0 } } });
  });

  it("stops at SIGINT also while a stream has nothing to say", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv(numbers(1, 15).map((number) => csvRow(number))) + `${"x".repeat(70_000)}\n`);
    const words = ["--batch-size", "5", "--checkpoint", `${path}.checkpoint`, "--failures", `${path}.failures`];
    const run = startPiped(place, `cat "${path}"; exec sleep 30`, ...words);
    while (!existsSync(`${path}.checkpoint`) || checkpointOf(path).line < 11) await sleep(50);
    const began = performance.now();
    run.child.kill("SIGINT");
    await once(run.child, "exit");
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(JSON.parse(run.stdout)).toMatchObject({ ending: "stopped", lines: { inFile: null, unread: null, sent: 10 } });
  });

  it("cuts back what a killed run wrote beyond its checkpoint, and will not go on with a failures file that was cut", async () => {
    const place = await openPlace();
    const bad = numbers(1, 60).map((number) => csvRow(number, number % 5 === 0 ? { email: "x" } : {}));
    const path = file(place, "bank.csv", csv(bad));
    const failures = `${path}.failures.csv`;
    let away = true;
    const connection = await between(place, (number) => (away && number > 2 ? "cut" : "pass"));
    const words = [path, "--batch-size", "20", "--concurrency", "1"];
    expect((await runImport(connection, ...words, "--retry-for", "0")).code).toBe(3);
    away = false;
    expect(statSync(failures).size).toBe(checkpointOf(path).failuresLength);
    const whole = readFileSync(failures, "utf8");

    writeFileSync(failures, whole.slice(0, -5));
    expect(await runImport(connection, ...words)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("it is shorter than the last run left it"),
    });
    writeFileSync(failures, `${whole}client-41,Fir`);
    expect(await runImport(connection, ...words)).toMatchObject({ code: 2, summary: { rows: { created: 48, failed: 12 } } });
    expect(readCsv(failures).map(({ clientRef }) => clientRef)).toEqual(numbers(1, 12).map((number) => `client-${number * 5}`));
    // Nobody's corrections are written over.
    expect(await runImport(place, path, "--checkpoint", `${path}.other`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("is there already"),
    });
  });
});

describe("import tells in one sentence, and with the sum of the lines,", () => {
  it("answers that are not those of a gateway", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv(numbers(1, 3).map((number) => csvRow(number))));
    const failing = (index: number) => ({
      data: {
        result: {
          id: "x",
          replayed: false,
          summary: { total: 3, successful: 2, failed: 1 },
          failuresInline: true,
          failures: [{ index, code: "INVALID_DATA", message: "no" }],
        },
      },
    });
    const answers = [
      { data: { result: null } },
      { data: {} },
      { data: { result: { id: "x" } } },
      failing(999_999),
      failing(-1),
      { errors: "boom" },
    ];
    for (const body of answers.map((answer) => JSON.stringify(answer))) {
      const connection = await between(place, () => ({ status: 200, body }));
      const { code, summary, stderr } = await runImport(connection, path);
      expect({ code, lines: summary?.lines.unread, sent: connection.seen.length }, body).toEqual({ code: 1, lines: 4, sent: 1 });
      expect(stderr, body).toMatch(/(it has another form than was asked for|and no data)\. Fix: see that the address/);
      expect(stderr, body).not.toMatch(/\n\s+at /);
    }
  });

  it("files that cannot be written, before anything is sent, and a checkpoint that can no longer be", async () => {
    const place = await openPlace();
    const rows = csv(numbers(1, 300).map((number) => csvRow(number, number % 5 === 0 ? { email: "x" } : {})));
    const path = file(place, "bank.csv", rows);
    const directory = join(place.dir, "directory");
    mkdirSync(directory);
    const connection = await between(place, () => "pass");
    const cases: [cause: string, ...args: string[]][] = [
      ["ENOENT", "--checkpoint", "/nosuch/c"],
      ["EISDIR", "--checkpoint", directory],
      ["it may hold rows that you have corrected", "--restart", "--failures", directory],
      ["ENOENT", "--failures", "/nosuch/f.csv"],
      ["it has another form", "--checkpoint", file(place, "empty.json", '{"version":1}')],
    ];
    for (const [cause, ...args] of cases) {
      const { code, stderr } = await runImport(connection, path, ...args);
      expect({ code, stderr }, args.join(" ")).toEqual({
        code: 1,
        stderr: expect.stringMatching(new RegExp(`: ${cause}\\. Fix: .*\\.\\n$`)) as string,
      });
    }
    expect(connection.seen).toEqual([]);

    // As a full disk would, in the middle of a run.
    const blocked = await between(place, (number) => {
      if (number === 3) mkdirSync(`${path}.checkpoint.tmp`);
      return "pass";
    });
    const { code, summary, stderr } = await runImport(blocked, path, "--batch-size", "10", "--concurrency", "1");
    expect({ code, ending: summary?.ending, stderr }).toEqual({
      code: 1,
      ending: "refused",
      stderr: expect.stringContaining("bank.csv.checkpoint cannot be written: EISDIR. Fix: ") as string,
    });
    expect(stderr).not.toMatch(/\n\s+at /);
    rmSync(`${path}.checkpoint.tmp`, { recursive: true });
    expect(await runImport(blocked, path, "--batch-size", "10", "--concurrency", "1")).toMatchObject({
      code: 2,
      summary: { rows: { created: 240, failed: 60 } },
    });
  });
});

// The rule is the importer's; keys of two banks are made with less ado on PostgreSQL.
describe.runIf(ON_POSTGRES)("import with another key", () => {
  it("goes on for the same bank only, and needs batches:write before anything is sent", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv(numbers(1, 40).map((number) => csvRow(number))));
    const words = [path, "--batch-size", "10", "--concurrency", "1"];
    const reading = await runImport({ ...place, key: await keyFor(place.env, "alpha", ["customers:read"]) }, ...words);
    expect(reading).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the key has not the scope batches:write"),
      summary: { ending: "refused", lines: { sent: 0, unread: 41 } },
    });
    expect(existsSync(`${path}.checkpoint`)).toBe(false);

    let away = true;
    const connection = await between(place, (number) => (away && number > 2 ? "cut" : "pass"));
    expect((await runImport(connection, ...words, "--retry-for", "0")).code).toBe(3);
    away = false;
    const before = readFileSync(`${path}.checkpoint`, "utf8");
    expect(checkpointOf(path).tenant).toEqual({ bankId: "alpha", mode: "SANDBOX" });
    expect(await runImport({ ...connection, key: await keyFor(place.env, "beta") }, ...words)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("its run was for the bank alpha in SANDBOX, and the key is for the bank beta in SANDBOX"),
      summary: { ending: "refused", lines: { sent: 20, unread: 20 } },
    });
    expect(readFileSync(`${path}.checkpoint`, "utf8")).toBe(before);
    expect(connection.seen).toHaveLength(3);
    const another = { ...connection, key: await keyFor(place.env, "alpha", ["batches:write"]) };
    expect(await runImport(another, ...words)).toMatchObject({ code: 0, summary: { rows: { created: 40 } } });
  });
});

describe("import of a file that is changed while it is read", () => {
  const changes: [name: string, change: (whole: string) => string, ...args: string[]][] = [
    ["cut", (whole) => whole.slice(0, whole.indexOf("\nclient-2500,"))],
    ["cut, in a phase", (whole) => whole.slice(0, whole.indexOf("\nclient-2500,")), "--sample", "60"],
    ["grown", (whole) => `${whole}${csvRow(9999)}\n`],
    ["edited at the same length", (whole) => whole.replace("First2900 Last2900", "Other2900 Last2900")],
  ];
  it.each(changes)(
    "%s: ends with a fault, is not done, sends nothing of the changed part, and goes on once it is put back",
    async (...of) => {
      const [, change, ...args] = of;
      const place = await openPlace();
      const whole = csv(numbers(1, 3000).map((number) => csvRow(number)));
      const path = file(place, "bank.csv", whole);
      const connection = await between(place, (number) => {
        if (number === 2) writeFileSync(path, change(whole));
        return "pass";
      });
      const words = ["--batch-size", "100", "--concurrency", "1"];
      const { code, summary, stderr } = await runImport(connection, path, ...words, ...args);
      expect(change(whole)).not.toBe(whole);
      expect({ code, ending: summary?.ending, stderr, done: checkpointOf(path).done }).toEqual({
        code: 1,
        ending: "refused",
        stderr: expect.stringContaining("bank.csv cannot be imported to its end: it was changed while it was read") as string,
        done: false,
      });
      writeFileSync(path, whole);
      expect(await runImport(connection, path, ...words, ...args)).toMatchObject({ code: 0, summary: { ending: "done" } });
      if (args.length > 0)
        expect(await runImport(connection, path, ...words)).toMatchObject({ code: 0, summary: { lines: { unread: 0 } } });
      const found = await customersOf(place);
      expect([found.size, found.get("client-2900")?.["accountName"]]).toEqual([3000, "First2900 Last2900"]);
    },
  );
});

const KILLS = 20;
/** The issue's own measure is 200,000: IMPORT_KILL_ROWS=200000. */
const ROWS = Number(process.env["IMPORT_KILL_ROWS"] ?? 20_000);

it(
  `killed ${KILLS} times during ${ROWS} rows and given again: the table is the file's valid rows, each once`,
  { timeout: 3_600_000 },
  async () => {
    const place = await openPlace();
    const isBad = (number: number) => number % 33 === 0;
    const rows = numbers(1, ROWS).map((number) =>
      isBad(number) ? csvRow(number, { email: "x" }) : csvRow(number, { accountName: `"${number}", and more` }),
    );
    const path = file(place, "bank.csv", csv(rows));
    const words = ["import", path, "--batch-size", String(Math.min(500, ROWS / 400)), "--concurrency", "2", "--json"];
    const line = () => (existsSync(`${path}.checkpoint`) ? checkpointOf(path).line : 0);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const before = line();
      // Some are killed before anything is written down, and most while batches are on their way.
      const enough = Math.floor((ROWS / KILLS) * (randomInt(0, 50) / 100));
      const run = start(place, ...words);
      while (run.child.exitCode === null && line() - before < enough) await sleep(randomInt(5, 40));
      if (enough < ROWS / KILLS / 10) await sleep(randomInt(0, 150));
      expect((await run.end("SIGKILL")).code, `ended before it was killed for the ${kill}th time`).toBe(null);
    }
    const { code, summary, stderr } = imported(await start(place, ...words).ended);
    const bad = numbers(1, ROWS).filter(isBad);
    expect({ code, summary, stderr }).toMatchObject({
      code: 2,
      summary: { lines: { ofRows: ROWS, sent: ROWS, unread: 0 }, rows: { created: ROWS - bad.length, failed: bad.length } },
    });
    const found = await customersOf(place);
    expect(found.size).toBe(ROWS - bad.length);
    expect(numbers(1, ROWS).filter((number) => found.has(`client-${number}`) === isBad(number))).toEqual([]);
    expect(readCsv(`${path}.failures.csv`).map(({ clientRef }) => clientRef)).toEqual(bad.map((number) => `client-${number}`));
  },
);
