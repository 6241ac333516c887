import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildSchema, type GraphQLInputObjectType } from "graphql";
import { CUSTOMERS, MERCHANTS } from "../../src/cli/import-target.ts";
import { command, send, TestProcess } from "../support/process.ts";
import { batchRow } from "../support/customers.ts";
import { merchantRow } from "../support/merchants.ts";
import { csv, csvRow, customersOf, file, imported, numbers, openPlace, readCsv, runImport, start } from "./import-fixture.ts";

describe("import", () => {
  it("tells each refused row; corrected, the failures file is imported as it is; given again, nothing is sent twice", async () => {
    const place = await openPlace();
    const rows = numbers(1, 1200).map((number) => csvRow(number));
    rows[9] = csvRow(10, { email: "no address" });
    rows[19] = csvRow(20, { lastname: " " });
    rows[29] = csvRow(30, { reference: "ref-29" });
    rows[599] = csvRow(600, { clientRef: "client-1" });
    rows[699] = `${csvRow(700)},more`;
    const path = file(place, "bank.csv", csv(rows));

    const first = await runImport(place, path, "--batch-size", "100");
    expect(first).toMatchObject({ code: 2, summary: { ending: "done", reason: null, dryRun: false } });
    expect(first.summary).toMatchObject({
      lines: { inFile: 1201, header: 1, blank: 0, ofRows: 1200, sent: 1199, refused: 1, unread: 0 },
      rows: { total: 1200, created: 1195, failed: 5 },
      failures: {
        byCode: { VALIDATION_ERROR: 1, INVALID_DATA: 1, DUPLICATE_IN_BATCH: 1, EXISTING_CUSTOMER: 1, INVALID_ROW: 1 },
        byField: { email: 1, lastname: 1, reference: 1, clientRef: 1 },
      },
      batches: { sent: 12, replayed: 0 },
      requests: { sent: 13, failed: 0 },
      figures: {
        successRate: { value: 99.583, target: "> 95 %", met: true },
        processingTime: { target: "< 300 s", met: true },
        dataQuality: { value: 0.25, target: "< 1 %", met: true },
        duplicates: { value: 0.167, target: null, met: null },
        errorRate: { value: 0, target: "< 2 %", met: true },
      },
    });

    const failures = `${path}.failures.csv`;
    expect(statSync(failures).mode & 0o777).toBe(0o600);
    expect(first.summary!.failuresFile).toBe(failures);
    expect(readFileSync(failures, "utf8").split("\n", 1)[0]).toBe(
      "clientRef,firstname,lastname,accountName,email,country,accountNumber,reference,code,field,message",
    );
    const refused = readCsv(failures);
    expect(refused.map(({ clientRef, code, field, message }) => [clientRef, code, field, message])).toEqual([
      ["client-10", "VALIDATION_ERROR", "email", "line 11: email must be an e-mail address, such as name@example.com"],
      ["client-20", "INVALID_DATA", "lastname", "line 21: lastname is required"],
      ["client-30", "DUPLICATE_IN_BATCH", "reference", "line 31: line 30 has the same reference"],
      ["client-1", "EXISTING_CUSTOMER", "clientRef", "line 601: Customer with this clientRef already exists"],
      ["client-700", "INVALID_ROW", "", "line 701: 9 values where the header has 8 columns; too many: more"],
    ]);
    expect(refused[0]).toMatchObject(batchRow(10, { email: "no address" }));

    // Given again: it is done, and says so.
    expect(await runImport(place, path, "--batch-size", "100")).toMatchObject({
      code: 2,
      summary: { ...first.summary, requests: { sent: 13 } },
    });

    const corrected = readFileSync(failures, "utf8")
      .replace("no address", "customer.10@example.com")
      .replace("First20, ,", "First20,Last20,")
      .replace("ref-29", "ref-30")
      .replace("client-1,First600", "client-600,First600");
    writeFileSync(failures, corrected);
    const second = await runImport(place, failures);
    expect(second).toMatchObject({ code: 0, summary: { rows: { total: 5, created: 5, failed: 0 }, failuresFile: null } });
    expect(existsSync(`${failures}.failures.csv`)).toBe(false);

    const found = await customersOf(place);
    expect(found.size).toBe(1200);
    expect(numbers(1, 1200).filter((number) => found.get(`client-${number}`)?.["email"] !== `customer.${number}@example.com`)).toEqual([]);
  });

  it("takes NDJSON, a stream, other column names, and many failures in one batch; a dry run creates nothing", async () => {
    const place = await openPlace();
    const objects = numbers(1, 400).map((number) => ({ ...batchRow(number, number > 200 ? { country: "Atlantis" } : {}), branch: "x" }));
    const lines = objects.map((object) => JSON.stringify(object).replace('"clientRef"', '"Client Ref"').replace('"email"', '"mail"'));
    lines.splice(2, 0, "", "{no json", '{"accountNumber":123}', "[1]");
    const path = file(place, "bank.ndjson", `${lines.join("\n")}\n`);

    const dry = await runImport(place, path, "--map", "mail=email", "--dry-run");
    const expected = {
      lines: { inFile: 404, header: 0, blank: 1, ofRows: 403, sent: 400, refused: 3, unread: 0 },
      rows: { total: 403, created: 200, failed: 203 },
      failures: { byCode: { INVALID_ROW: 3, VALIDATION_ERROR: 200 }, byField: { country: 200, accountNumber: 1 } },
    };
    expect(dry).toMatchObject({ code: 2, summary: { ...expected, dryRun: true } });
    expect((await customersOf(place)).size).toBe(0);

    const piped = new TestProcess(
      "sh",
      [
        "-c",
        `cat "${path}" | "$0" "$@"`,
        ...commandLine(
          "import",
          "-",
          "--format",
          "ndjson",
          "--map",
          "mail=email",
          "--json",
          "--checkpoint",
          `${path}.cp`,
          "--failures",
          `${path}.failed`,
        ),
      ],
      {
        GATEWAY_URL: place.url,
        GATEWAY_KEY: place.key,
      },
    );
    expect(imported(await piped.ended)).toMatchObject({ code: 2, summary: { ...expected, dryRun: false } });
    const refused = readFileSync(`${path}.failed`, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(refused).toHaveLength(203);
    expect(refused[0]).toEqual({ raw: "{no json", code: "INVALID_ROW", field: "", message: "line 4: the line is not a JSON object" });
    expect(refused[1]).toEqual({
      accountNumber: 123,
      code: "INVALID_ROW",
      field: "accountNumber",
      message: "line 5: accountNumber must be text in quotes, or null",
    });
    const { email, clientRef, ...rest } = objects[200]!;
    expect(refused[3]).toEqual({
      ...rest,
      mail: email,
      "Client Ref": clientRef,
      code: "VALIDATION_ERROR",
      field: "country",
      message: expect.stringMatching(/^line 205: country must be/),
    });
    expect((await customersOf(place)).size).toBe(200);
  });

  it("goes in phases: 10 %, 50 % and all are each other's parts, and no row is sent twice", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv(numbers(1, 600).map((number) => csvRow(number))));
    const phase = async (...args: string[]) => (await runImport(place, path, ...args)).summary!;

    const ten = await phase("--sample", "10%");
    expect(ten.rows.failed).toBe(0);
    expect(ten.rows.created).toBeGreaterThan(30);
    expect(ten.rows.created).toBeLessThan(90);
    expect(ten.lines.unread).toBe(600 - ten.rows.created);
    const after = new Set((await customersOf(place)).keys());

    const half = await phase("--sample", "50");
    expect(half).toMatchObject({ phase: { number: 2, limit: null, sample: 50 }, rows: { failed: 0 } });
    expect(half.lines.sent).toBe(ten.rows.created + half.rows.created);
    const afterHalf = await customersOf(place);
    expect(afterHalf.size).toBe(half.lines.sent);
    expect([...after].filter((ref) => !afterHalf.has(ref))).toEqual([]);

    expect(await runImport(place, path, "--sample", "20")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there is nothing left to import"),
    });
    const all = await phase();
    expect(all).toMatchObject({ phase: { number: 3 }, rows: { failed: 0 }, lines: { sent: 600, unread: 0 } });
    expect((await customersOf(place)).size).toBe(600);
    expect(await runImport(place, path)).toMatchObject({ code: 0, summary: { rows: { created: all.rows.created } } });

    // The first rows, and then more of them.
    const other = file(place, "other.csv", csv(numbers(1001, 1100).map((number) => csvRow(number))));
    expect((await runImport(place, other, "--limit", "30")).summary).toMatchObject({
      rows: { created: 30, failed: 0 },
      lines: { unread: 70 },
    });
    expect((await runImport(place, other, "--limit", "50")).summary).toMatchObject({
      rows: { created: 20, failed: 0 },
      lines: { sent: 50, unread: 50 },
    });
    expect((await runImport(place, other)).summary).toMatchObject({ rows: { created: 50, failed: 0 }, lines: { sent: 100, unread: 0 } });
  });

  it("refuses what it cannot do, before anything is sent, in one sentence", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv(numbers(1, 60).map((number) => csvRow(number))));
    const refused = async (pattern: RegExp, args: string[], as: Parameters<typeof start>[0] = place) => {
      const { code, stderr } = await start(as, "import", ...args).ended;
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(pattern) as string });
      expect(stderr).not.toMatch(/\n\s+at /);
    };
    await refused(/there is no key/, [path], { url: place.url, key: "" });
    await refused(/the gateway refused: UNAUTHENTICATED/, [path], { url: place.url, key: "cgw_sandbox_1_2" });
    await refused(/is no address/, [path], { ...place, url: "nowhere" });
    await refused(/is no address of a gateway: it is no http/, [path], {
      ...place,
      url: place.url.replace("http://127.0.0.1", "localhost"),
    });
    await refused(/given with more than a host and a port/, [path], { ...place, url: `${place.url}/gateway` });
    await refused(/no field nothing/, [path, "--map", "email=nothing"]);
    await refused(/no column mail/, [path, "--map", "mail=email"]);
    await refused(/cannot be used with option/, [path, "--limit", "1", "--sample", "1"]);
    expect((await customersOf(place)).size).toBe(0);

    expect((await runImport(place, path, "--limit", "10")).code).toBe(0);
    await refused(/made with other settings: batchSize/, [path, "--batch-size", "7"]);
    await refused(/no checkpoint of an import/, [path, "--checkpoint", path]);
    file(place, "bank.csv", csv(numbers(1, 61).map((number) => csvRow(number))));
    await refused(/it is of another input, or the input was changed/, [path]);
    expect((await customersOf(place)).size).toBe(10);
  });

  it("keeps every digit of what it refuses, and removes no file but its own", async () => {
    const place = await openPlace();
    const text = JSON.stringify(batchRow(1)).replace(/"accountNumber":"[^"]*"/, '"accountNumber":12345678901234567890');
    const { code, summary } = await runImport(place, file(place, "long.ndjson", `${text}\n`));
    expect({ code, created: summary?.rows.created }).toEqual({ code: 2, created: 0 });
    const failures = readFileSync(summary!.failuresFile!, "utf8");
    expect(failures).toContain('"accountNumber":12345678901234567890,');
    expect(JSON.parse(failures)).toMatchObject({ clientRef: "client-1", code: "INVALID_ROW", field: "accountNumber" });
    const quoted = file(place, "quoted.ndjson", failures.replace(/:(\d{20}),/, ':"$1",'));
    expect(await runImport(place, quoted)).toMatchObject({ code: 0, summary: { rows: { created: 1 } } });

    const path = file(place, "bank.csv", csv([csvRow(2)]));
    const precious = file(place, "precious.csv", "corrected by hand");
    for (const [args, pattern] of [
      [["--dry-run", "--failures", path], /is both input and --failures/],
      [["--restart", "--checkpoint", path], /is both input and --checkpoint/],
      [["--failures", `${place.dir}/z`, "--checkpoint", `${place.dir}/./z`], /is both --checkpoint and --failures/],
      [["--dry-run", "--failures", precious], /is there already/],
      [["--restart", "--failures", precious], /is there already/],
    ] as [string[], RegExp][]) {
      const refused = await start(place, "import", path, ...args).ended;
      expect({ code: refused.code, stderr: refused.stderr }).toEqual({ code: 1, stderr: expect.stringMatching(pattern) as string });
    }
    expect(readFileSync(precious, "utf8")).toBe("corrected by hand");
    expect(await runImport(place, path)).toMatchObject({ code: 0, summary: { rows: { created: 1 } } });
    const key = `${place.key}\nx`;
    const broken = await start({ ...place, key }, "import", path, "--restart").ended;
    expect({ code: broken.code, stderr: broken.stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/the key is malformed/) as string,
    });
    expect(broken.stderr).not.toContain(place.key);
  });

  it("sends consent, for all rows and for those that have their own", async () => {
    const place = await openPlace();
    const header = `${csv([]).trimEnd()},Consent Source,consent_at,consentTextVersion`;
    const path = file(
      place,
      "bank.csv",
      [header, `${csvRow(1)},,,`, `${csvRow(2)},web,2026-02-01T00:00:00Z,v2`, `${csvRow(3)},web,,`].join("\n"),
    );
    const consent = ["--consent-source", "branch", "--consent-at", "2026-01-01T00:00:00Z", "--consent-text-version", "v1"];
    expect(await runImport(place, path, ...consent)).toMatchObject({ code: 2, summary: { failures: { byCode: { VALIDATION_ERROR: 1 } } } });
    const { data } = await send(place.url, place.key, "{ customers(first: 2) { nodes { clientRef consent { source textVersion } } } }");
    expect(data.customers.nodes.sort((a: any, b: any) => a.clientRef.localeCompare(b.clientRef))).toEqual([
      { clientRef: "client-1", consent: { source: "branch", textVersion: "v1" } },
      { clientRef: "client-2", consent: { source: "web", textVersion: "v2" } },
    ]);
  });

  it("takes merchants by the same importer: refused rows, a checkpoint that is no customers', and a second run that sends nothing", async () => {
    const place = await openPlace();
    const shops = numbers(1, 130).map((number) => merchantRow(number, number > 70 ? { country: "Atlantis" } : {}));
    const header = ["clientRef", "Name", "E-Mail", "country", "reference"];
    const line = (shop: object) => Object.values(shop).join(",");
    const path = file(place, "shops.csv", [header.join(","), ...shops.map(line)].map((text) => `${text}\n`).join(""));

    const first = await runImport(place, path, "--merchants");
    expect(first).toMatchObject({
      code: 2,
      summary: {
        rows: { total: 130, created: 70, failed: 60 },
        failures: { byCode: { VALIDATION_ERROR: 60 }, byField: { country: 60 } },
        requests: { sent: 3, failed: 0 },
      },
    });
    expect(await runImport(place, path, "--merchants")).toMatchObject({ code: 2, summary: { requests: { sent: 3 } } });
    const asCustomers = await start(place, "import", path).ended;
    expect(asCustomers).toMatchObject({ code: 1, stderr: expect.stringContaining("made with other settings: merchants") });
    const consent = await start(place, "import", path, "--merchants", "--consent-source", "web").ended;
    expect(consent).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot be used with option") });

    writeFileSync(`${path}.failures.csv`, readFileSync(`${path}.failures.csv`, "utf8").replaceAll("Atlantis", "NG"));
    expect(await runImport(place, `${path}.failures.csv`, "--merchants")).toMatchObject({ code: 0, summary: { rows: { created: 60 } } });
    const objects = [merchantRow(131, { consent: "none of its own" }), merchantRow(1)].map((shop) => JSON.stringify(shop));
    const ndjson = await runImport(place, file(place, "more.ndjson", objects.join("\n")), "--merchants");
    expect(ndjson).toMatchObject({ code: 2, summary: { rows: { created: 1 }, failures: { byCode: { EXISTING_CUSTOMER: 1 } } } });
    const { data } = await send(place.url, place.key, "{ merchants(first: 1) { totalCount nodes { name } } customers { totalCount } }");
    expect(data.merchants).toEqual({ totalCount: 131, nodes: [{ name: "Shop 131" }] });
  });

  it("prints for a person what a script reads", async () => {
    const place = await openPlace();
    const path = file(place, "bank.csv", csv([csvRow(1), csvRow(2, { email: "x" })]));
    const { code, stdout } = await start(place, "import", path).ended;
    expect(code).toBe(2);
    expect(stdout).toContain("Lines: 2 sent + 0 refused + 0 unread = 2; with 1 of the header and 0 blank, 3 in the file");
    expect(stdout).toContain("Rows: 2 = 1 created + 1 refused; 1 batch");
    expect(stdout).toMatch(/success rate +50\.00 % \(target > 95 %: MISSED\)/);
    expect((await command(["import", "--help"]).ended).stdout).toContain("Exit codes:");
  });

  it.each([
    ["BatchCustomerInput", CUSTOMERS, ["consentSource", "consentAt", "consentTextVersion"]],
    ["BatchMerchantInput", MERCHANTS, []],
  ] as const)("knows the fields of the mutation, and which of them are required: %s", (typename, target, others) => {
    const input = buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8")).getType(typename);
    const fields = Object.values((input as GraphQLInputObjectType).getFields()).filter(({ type }) => String(type) === "String");
    const expected = fields.map(({ name, description }) => [name, description!.endsWith("Required.") ? "required" : "optional"]);
    expected.push(...others.map((name) => [name, "optional"]));
    expect(Object.entries(target.fields).sort()).toEqual(expected.sort());
  });
});

/** The program and its words, to be started by a shell. */
function commandLine(...args: string[]): string[] {
  return [process.execPath, new URL("../../src/cli/main.ts", import.meta.url).pathname, ...args];
}
