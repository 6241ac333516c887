import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { batchRow } from "../support/customers.ts";
import { send, TestProcess } from "../support/process.ts";
import {
  csv,
  csvRow,
  customersOf,
  file,
  HEADER,
  imported,
  type Imported,
  numbers,
  openPlace,
  readCsv,
  runImport,
  start,
  startPiped,
} from "./import-fixture.ts";

const MB = 1024 * 1024;

/** The most memory that a process has taken until now, in bytes; 0 when it is gone. */
function peakMemory({ child }: TestProcess): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Waits for the end, and gives with it the most memory that was seen. */
async function watched(process: TestProcess): Promise<Imported & { peak: number }> {
  let peak = 0;
  while (process.child.exitCode === null && process.child.signalCode === null) {
    peak = Math.max(peak, peakMemory(process));
    await sleep(20);
  }
  return { ...imported(await process.ended), peak };
}

describe("import reads", () => {
  it("what banks' systems write: byte order marks, CRLF, quoted line breaks, Latin-1, UTF-16, other separators", async () => {
    const place = await openPlace();
    const name = 'Zoë "Z"\r\nO’Brien, Jr';
    const read = async (number: number, content: string | Buffer, expected: string, ...args: string[]) => {
      const { code, summary, stderr } = await runImport(place, file(place, `${number}.csv`, content), ...args);
      expect({ code, failures: summary?.failures.byCode, stderr }, String(number)).toMatchObject({ code: 0, failures: {} });
      expect((await customersOf(place)).get(`client-${number}`)?.["accountName"]).toBe(expected);
      return summary!;
    };
    const plain = (number: number, accountName = "José Ruiz") => csv([csvRow(number, { accountName })]);
    await read(1, `\ufeff${plain(1)}`, "José Ruiz");
    await read(2, `\ufeff${csv([csvRow(2, { accountName: "José Ruiz" })], "\r\n")}`, "José Ruiz");
    expect((await read(4, Buffer.from(plain(4), "latin1"), "José Ruiz", "--encoding", "latin1")).lines).toMatchObject({
      sent: 1,
      header: 1,
    });
    await read(5, Buffer.from(`\ufeff${plain(5)}`, "utf16le"), "José Ruiz", "--encoding", "utf-16le");
    await read(6, csv([csvRow(6)]).replaceAll(",", ";"), "First6 Last6", "--delimiter", ";");
    await read(
      7,
      csv([csvRow(7)])
        .replaceAll(",", "\t")
        .trimEnd(),
      "First7 Last7",
      "--delimiter",
      "tab",
    );
    const spread = `${HEADER.join(",")},address\n${csvRow(9)},"${name.replaceAll('"', '""')}\n${"line\n".repeat(20)}"\n\n${csvRow(10)},\n`;
    expect((await read(9, spread, "First9 Last9")).lines).toEqual({
      inFile: 26,
      header: 1,
      blank: 1,
      ofRows: 24,
      sent: 24,
      refused: 0,
      unread: 0,
    });
    const { summary } = await runImport(place, file(place, "broken-name.csv", csv([csvRow(11, { accountName: name })])));
    expect(summary).toMatchObject({ lines: { sent: 2 }, failures: { byField: { accountName: 1 } } });
  });

  it("on past what is spoiled: one line each, and none of its neighbours", async () => {
    const place = await openPlace();
    const good = numbers(1, 40).map((number) => csvRow(number));
    const lines = [
      ...good.slice(0, 10),
      'an "odd quote,x',
      ...good.slice(10, 20),
      `${csvRow(99)},extra`,
      "client-98,too,few",
      'two "quotes" within,a,value,x,y,z,1,2',
      ...good.slice(20, 30),
      `client-97,${"x".repeat(1_000_001)}`,
      ...good.slice(30),
      '"never closed,x',
    ];
    const { code, summary } = await runImport(place, file(place, "bank.csv", csv(lines)));
    expect({ code, summary }).toMatchObject({
      code: 2,
      summary: { lines: { ofRows: 46, sent: 40, refused: 6, unread: 0 }, rows: { created: 40 }, failures: { byCode: { INVALID_ROW: 6 } } },
    });
    expect(readCsv(summary!.failuresFile!).map(({ message }) => message)).toEqual([
      "line 12: a quote is out of place, or is not closed",
      "line 23: 9 values where the header has 8 columns; too many: extra",
      "line 24: 3 values where the header has 8 columns",
      "line 25: a quote is out of place, or is not closed",
      "line 36: the line is longer than 1000000 bytes",
      "line 47: a quote is out of place, or is not closed",
    ]);
    expect((await customersOf(place)).size).toBe(40);
  });

  it("nothing of what cannot be right, and says why and where", async () => {
    const place = await openPlace();
    const header = HEADER.join(",");
    mkdirSync(join(place.dir, "directory"));
    const cases: [name: string, content: string | Buffer | null, message: RegExp, sum: RegExp | null][] = [
      ["directory", null, /directory cannot be imported: it is a directory/, null],
      ["absent.csv", null, /absent\.csv cannot be imported: ENOENT/, null],
      ["empty.csv", "", /empty\.csv cannot be imported: it is empty/, /0 sent \+ 0 refused \+ 0 unread = 0/],
      [
        "latin1.csv",
        Buffer.from(csv([csvRow(1), csvRow(2, { accountName: "José" })]), "latin1"),
        /line 3 cannot be read: it is not UTF-8.*--encoding latin1/,
        /0 sent \+ 0 refused \+ 3 unread = 3/,
      ],
      [
        "missing.csv",
        "clientRef,email\na,b\n",
        /line 1, the header.*firstname, lastname, accountName, country, accountNumber, reference/,
        /"unread":2/,
      ],
      ["twice.csv", `${header},E-Mail\n`, /two columns are for email/, /"unread":1/],
      ["semicolon.csv", csv([csvRow(1)]).replaceAll(",", ";"), /--delimiter ";"/, /"unread":2/],
      ["list.ndjson", "[{}]\n", /jq -c/, /"unread":1/],
      ["objects.csv", "{}\n", /--format ndjson/, /"unread":1/],
      ["old-mac.csv", csv([csvRow(1)], "\r"), /CR alone/, /"unread":1/],
      ["quote.csv", `"${csv([csvRow(1)])}`, /line 1, the header, cannot be read: a quote/, /"unread":2/],
    ];
    for (const [name, content, message, sum] of cases) {
      const path = content === null ? join(place.dir, name) : file(place, name, content);
      const { code, stdout, stderr } = await start(place, "import", path, "--json").ended;
      expect({ code, stderr }, name).toEqual({ code: 1, stderr: expect.stringMatching(message) as string });
      expect(stderr, name).not.toMatch(/\n\s+at /);
      if (sum) expect(stdout, name).toMatch(sum);
    }
    // In a stream a wrong encoding shows on the way: what came before it is imported, and a second run goes on from there.
    const path = file(
      place,
      "stream.csv",
      Buffer.from(csv([...numbers(1, 50).map((number) => csvRow(number)), csvRow(51, { accountName: "José" })]), "latin1"),
    );
    const words = ["import", "-", "--batch-size", "10", "--json", "--checkpoint", `${path}.checkpoint`, "--failures", `${path}.failures`];
    const piped = (...args: string[]) =>
      new TestProcess(
        "sh",
        ["-c", `cat "${path}" | "$0" "$@"`, process.execPath, join(import.meta.dirname, "../../src/cli/main.ts"), ...words, ...args],
        {
          GATEWAY_URL: place.url,
          GATEWAY_KEY: place.key,
        },
      ).ended.then(imported);
    expect(await piped()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("line 52 cannot be read: it is not UTF-8"),
      summary: { ending: "refused" },
    });
    expect(await piped("--encoding", "latin1")).toMatchObject({
      code: 0,
      summary: { lines: { sent: 51, unread: 0 }, rows: { created: 51 } },
    });
    expect((await customersOf(place)).size).toBe(51);
  });

  it("the failures of an input in another encoding, by the same command", async () => {
    const place = await openPlace();
    const rows = [csvRow(1, { accountName: "José Ruiz", email: "no address" }), csvRow(2)];
    const latin1 = ["--encoding", "latin1"];
    const { summary } = await runImport(place, file(place, "latin1.csv", Buffer.from(csv(rows), "latin1")), ...latin1);
    const failures = readFileSync(summary!.failuresFile!, "utf8");
    expect(failures).toMatch(/^\ufeffclientRef/);
    const corrected = file(place, "corrected.csv", failures.replace("no address", "jose@example.com"));
    expect(await runImport(place, corrected, ...latin1)).toMatchObject({ code: 0, summary: { rows: { created: 1 } } });
    expect((await customersOf(place)).get("client-1")?.["accountName"]).toBe("José Ruiz");

    const name = "ndjson-latin1.ndjson";
    const object = `${JSON.stringify({ ...batchRow(3), accountName: "José Ruiz", email: "none" })}\n`;
    const second = await runImport(place, file(place, name, Buffer.from(object, "latin1")), ...latin1);
    const text = readFileSync(second.summary!.failuresFile!, "utf8");
    expect(await runImport(place, file(place, "c.ndjson", text.replace("none", "c@example.com")), ...latin1)).toMatchObject({ code: 0 });
    expect((await customersOf(place)).get("client-3")?.["accountName"]).toBe("José Ruiz");
  });

  it("NDJSON with a consent as the mutation has it, and nothing of a line that says a thing twice", async () => {
    const place = await openPlace();
    const consent = { source: "branch", at: "2026-01-31T09:30:00Z", textVersion: "v2" };
    const line = (number: number, more: object) => JSON.stringify({ ...batchRow(number), ...more });
    const lines = [
      line(1, { consent }),
      line(2, { consent: null, unknown: { a: 1, b: { a: 1 } } }),
      line(3, { consent: "yes" }),
      line(4, { consent: { ...consent, more: 1 } }),
      line(5, { consent, consentSource: "web" }),
      line(6, {}).replace("{", '{"\\u0065mail":"other@example.com",'),
      line(7, { consent: { ...consent, at: 5 } }),
      line(8, { note: 'a "email": of {"email":1}', list: ["email", { email: 1 }, { email: 2 }] }),
    ];
    const { code, summary } = await runImport(place, file(place, "bank.ndjson", `${lines.join("\n")}\n`));
    const failures = readFileSync(summary!.failuresFile!, "utf8").trimEnd().split("\n");
    expect(failures.map((text) => (JSON.parse(text) as { message: string }).message)).toEqual([
      "line 3: consent must be an object of source, at and textVersion",
      "line 4: consent must be an object of source, at and textVersion",
      "line 5: two members are for consentSource",
      'line 6: the member "email" stands twice',
      "line 7: consentAt must be text in quotes, or null",
    ]);
    expect({ code, summary }).toMatchObject({ code: 2, summary: { rows: { created: 3 }, lines: { sent: 3, refused: 5 } } });
    const { data } = await send(place.url, place.key, '{ customer(by: { clientRef: "client-1" }) { consent { source textVersion } } }');
    expect(data.customer.consent).toEqual({ source: "branch", textVersion: "v2" });
  });

  it("blank lines alone as nothing to import, from a file and from a stream", async () => {
    const place = await openPlace();
    const path = file(place, "blank.csv", "\n \n\r\n");
    const expected = {
      code: 1,
      stderr: expect.stringContaining("the input has only blank lines") as string,
      summary: { ending: "refused", lines: { inFile: 3, blank: 3, ofRows: 0 } },
    };
    for (let again = 0; again < 2; again += 1) expect(await runImport(place, path)).toMatchObject(expected);
    expect(await runImport(place, file(place, "blank.ndjson", "\n\n\n"))).toMatchObject(expected);
    const names = ["--checkpoint", `${path}.stream`, "--failures", `${path}.stream-failures`];
    expect(imported(await startPiped(place, `cat "${path}"`, ...names).ended)).toMatchObject(expected);
  });

  it("nothing when its own files do not fit, and counts the lines all the same", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv([csvRow(1), csvRow(2)]));
    file(place, "bank.csv.failures.csv", "mine");
    const { code, stdout, stderr } = await start(place, "import", path).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("is there already") as string });
    expect(stdout).toContain("Lines: 0 sent + 0 refused + 3 unread = 3");
  });

  it("a line of 1 GB within 400 MB, as a header, as a row among others, from a file and from a stream", { timeout: 240_000 }, async () => {
    const place = await openPlace();
    const path = join(place.dir, "line.csv");
    writeFileSync(path, "");
    truncateSync(path, 1_000_000_000);
    const header = await watched(start(place, "import", path, "--json"));
    expect(header).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("line 1, the header, cannot be read: the line is longer than 1000000 bytes"),
    });

    writeFileSync(path, csv([csvRow(1)]));
    truncateSync(path, 1_000_000_000);
    writeFileSync(path, `\n${csvRow(2)}\n`, { flag: "a" });
    const row = await watched(start(place, "import", path, "--json"));
    expect(row).toMatchObject({
      code: 2,
      summary: { lines: { inFile: 4, sent: 2, refused: 1, unread: 0 }, rows: { created: 2, failed: 1 } },
    });

    const piped = startPiped(
      place,
      "head -c 1000000000 /dev/zero",
      "--checkpoint",
      `${path}.stream`,
      "--failures",
      `${path}.stream-failures`,
    );
    const stream = await watched(piped);
    expect(stream).toMatchObject({ code: 1, stderr: expect.stringContaining("line 1, the header, cannot be read") });
    for (const { peak } of [header, row, stream]) {
      expect(peak).toBeGreaterThan(0);
      expect(peak).toBeLessThan(400 * MB);
    }
  });
});
