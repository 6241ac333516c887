import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { send, TestProcess } from "../support/process.ts";
import { csv, csvRow, file, HEADER, numbers, openPlace, type Place, readCsv, runImport, start } from "./import-fixture.ts";

/** A key of the same bank that grants only these scopes. */
async function keyWith({ url, key }: Place, scopes: string[]): Promise<string> {
  const { data } = await send(
    url,
    key,
    `mutation ($scopes: [String!]!) { createApiKey(input: { audience: INTERNAL, scopes: $scopes }) { ... on ApiKeyIssued { key } } }`,
    { scopes },
  );
  return data.createApiKey.key;
}

describe("export", () => {
  it("gives every customer once, as CSV and NDJSON; what a spreadsheet would run is guarded, and import takes the guard off", async () => {
    const place = await openPlace();
    const names = ["=1+1", "+1", "-1", "@SUM(A1)", 'He said "hi", twice', "Plain"];
    const rows = numbers(1, 230).map(
      (number) => `${csvRow(number, { accountName: names[number % names.length]! })},+23480312${10_000 + number},"a\nb"`,
    );
    const content = [`${HEADER.join(",")},phone,address`, ...rows].join("\n");
    expect((await runImport(place, file(place, "bank.csv", content))).code).toBe(0);
    const out = `${place.dir}/out.csv`;
    writeFileSync(out, "old", { mode: 0o644 });
    const { code, stdout, stderr } = await start(place, "export", "--out", out, "--json").ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(existsSync(`${out}.part`)).toBe(false);
    const cells = readCsv(out).filter(({ clientRef }) => clientRef!.startsWith("client-"));
    expect(JSON.parse(stdout)).toMatchObject({ rows: readCsv(out).length, withheld: {}, file: out });
    expect(new Set(cells.map(({ clientRef }) => clientRef)).size).toBe(230);
    const one = (number: number) => cells.find(({ clientRef }) => clientRef === `client-${number}`)!;
    expect(one(6)).toMatchObject({
      accountName: "'=1+1",
      phone: "'+2348031210006",
      dialCode: "'+234",
      address: "a\nb",
      accountNumber: "1000000006",
      blacklisted: "false",
      version: "1",
    });
    expect([1, 2, 3, 4, 5].map((number) => one(number)["accountName"])).toEqual(["'+1", "'-1", "'@SUM(A1)", names[4], "Plain"]);
    expect(cells.flatMap((row) => Object.values(row)).filter((value) => /^[=+\-@\t\r]/.test(value))).toEqual([]);

    const raw = async (...args: string[]) =>
      (await start(place, "export", "--format", "ndjson", ...args).ended).stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const objects = (await raw("--fields", "clientRef,accountName,phone,version")).filter(({ clientRef }) =>
      String(clientRef).startsWith("client-"),
    );
    expect(objects).toHaveLength(230);
    expect(objects.find(({ clientRef }) => clientRef === "client-6")).toEqual({
      clientRef: "client-6",
      accountName: "=1+1",
      phone: "+2348031210006",
      version: 1,
    });

    // What was exported is imported, into customers of other keys: the values are the old ones.
    const moved = readFileSync(out, "utf8")
      .replaceAll("client-", "moved-")
      .replaceAll("ref-", "moved-ref-")
      .replaceAll("customer.", "moved.");
    expect((await runImport(place, file(place, "moved.csv", moved))).summary!.rows.created).toBeGreaterThanOrEqual(230);
    const again = (await raw("--fields", "clientRef,accountName,phone")).find(({ clientRef }) => clientRef === "moved-6");
    expect(again).toEqual({ clientRef: "moved-6", accountName: "=1+1", phone: "+2348031210006" });
  });

  it("shows what the key may see and says what is left out; filters; and leaves no half file", async () => {
    const place = await openPlace();
    const rows = numbers(1, 12).map((number) =>
      csvRow(number, { accountName: number > 8 ? "Zuberi Only" : "Ada Obi", country: number > 10 ? "GH" : "NG" }),
    );
    expect((await runImport(place, file(place, "bank.csv", csv(rows)))).code).toBe(0);
    const standard = { ...place, key: await keyWith(place, ["customers:read"]) };
    const seen = await start(standard, "export", "--search", "zuberi").ended;
    expect(seen.code).toBe(0);
    expect(seen.stdout.split("\n", 1)[0]).toBe("id,bankId,phrase,accountName,gender,displayPicture,country");
    expect(seen.stdout.trimEnd().split("\n")).toHaveLength(5);
    expect(seen.stderr).toContain("Left out, since the key may not see them: firstname (customers:read:extended)");
    expect(seen.stderr).toContain("accountNumber (customers:read:sensitive)");

    const nothing = await start(standard, "export", "--fields", "email,version", "--out", `${place.dir}/nothing.csv`).ended;
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining("the key may see none of these fields: email") as string });
    expect(existsSync(`${place.dir}/nothing.csv`)).toBe(false);

    // What the last write met is heard, and not taken for a whole export.
    const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
    const words = ["-c", '"$0" "$@" >/dev/full', process.execPath, main, "export", "--fields", "id"];
    const full = new TestProcess("sh", words, { GATEWAY_URL: place.url, GATEWAY_KEY: place.key });
    expect(await full.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/standard output cannot be written: ENOSPC/) as string,
    });

    const count = async (...args: string[]) =>
      (JSON.parse((await start(place, "export", "--json", "--out", `${place.dir}/n.csv`, ...args).ended).stdout) as { rows: number }).rows;
    expect(await count("--search", "zuberi", "--country", "gh")).toBe(2);
    expect(await count("--search", "zuberi", "--created-from", "2000-01-01T00:00:00Z", "--blacklisted", "false")).toBe(4);
    expect(await count("--search", "zuberi", "--created-to", "2000-01-01T00:00:00Z")).toBe(0);

    const out = `${place.dir}/half.csv`;
    const refused = await start(standard, "export", "--out", out, "--created-from", "2000-01-01T00:00:00Z").ended;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("FORBIDDEN_FIELD") });
    expect([existsSync(out), existsSync(`${out}.part`)]).toEqual([false, false]);
    expect(await start(place, "export", "--out", `${place.dir}/no/such/dir.csv`).ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ENOENT"),
    });
    expect(await start(place, "export", "--fields", "history").ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no field history to export"),
    });
    expect(await start({ ...place, url: "http://127.0.0.1:1" }, "export", "--retry-for", "0").ended).toMatchObject({ code: 3, stdout: "" });
  });
});
