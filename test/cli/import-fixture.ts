import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { parse } from "csv-parse/sync";
import type { Summary } from "../../src/cli/import-summary.ts";
import { batchRow } from "../support/customers.ts";
import { command, type Ending, type Env, freshDir, freshEnv, keyFor, startGateway, TestProcess } from "../support/process.ts";

/** A running gateway, and a directory for files. */
export interface Place {
  env: Env;
  dir: string;
  url: string;
  key: string;
}

export async function openPlace(): Promise<Place> {
  const env = await freshEnv();
  const key = await keyFor(env);
  const { url } = await startGateway(env);
  const dir = freshDir();
  mkdirSync(dir);
  return { env, dir, url, key };
}

/** Starts the command line as a user of this gateway does. */
export function start({ url, key }: Pick<Place, "url" | "key">, ...args: string[]): TestProcess {
  return command(args, { GATEWAY_URL: url, GATEWAY_KEY: key });
}

/** What an import ended with. `summary` is null when it printed none. */
export interface Imported extends Ending {
  summary: Summary | null;
}

/** Runs an import to its end and checks what holds of every one: the lines add up. */
export async function runImport(place: Pick<Place, "url" | "key">, ...args: string[]): Promise<Imported> {
  return imported(await start(place, "import", ...args, "--json").ended);
}

export function imported(ending: Ending): Imported {
  const summary = ending.stdout.startsWith("{") ? (JSON.parse(ending.stdout) as Summary) : null;
  if (summary?.lines.inFile != null) {
    const { inFile, header, blank, ofRows, sent, refused, unread } = summary.lines;
    expect(sent + refused + unread!, ending.stdout).toBe(ofRows);
    expect(ofRows! + header + blank, ending.stdout).toBe(inFile);
  }
  return { ...ending, summary };
}

/** Writes a file in the place's directory and gives its path. */
export function file({ dir }: Place, name: string, content: string | Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

export const HEADER = ["clientRef", "firstname", "lastname", "accountName", "email", "country", "accountNumber", "reference"] as const;

/** A line of CSV for the customer of this number. */
export function csvRow(number: number, changes: Partial<Record<(typeof HEADER)[number], string>> = {}): string {
  const row = batchRow(number, changes) as Record<string, string>;
  return HEADER.map((name) => (/[",\r\n]/.test(row[name]!) ? `"${row[name]!.replaceAll('"', '""')}"` : row[name])).join(",");
}

export const csv = (rows: readonly string[], end = "\n") => [HEADER.join(","), ...rows].map((line) => line + end).join("");

/** A CSV file as records by the names of its header; none when there is no file. */
export function readCsv(path: string): Record<string, string>[] {
  return existsSync(path) ? parse(readFileSync(path), { columns: true }) : [];
}

/** The bank's customers that a test has made, by clientRef; read through the export. */
export async function customersOf(place: Place, fields = "clientRef,email,accountName"): Promise<Map<string, Record<string, string>>> {
  const out = join(place.dir, `customers-${crypto.randomUUID()}.csv`);
  const { code, stderr } = await start(place, "export", "--out", out, "--fields", fields).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const rows = readCsv(out).filter(({ clientRef }) => clientRef!.startsWith("client-"));
  expect(new Set(rows.map(({ clientRef }) => clientRef)).size).toBe(rows.length);
  return new Map(rows.map((row) => [row["clientRef"]!, row]));
}

/** Whole numbers from one to another, both included. */
export const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, place) => from + place);

/**
 * Starts an import of what a shell command prints, on standard input. The process is the importer itself: what is sent
 * to it, and what is seen of its memory, is not the shell's.
 */
export function startPiped(place: Pick<Place, "dir" | "url" | "key">, producer: string, ...args: string[]): TestProcess {
  const fifo = join(place.dir, `fifo-${crypto.randomUUID()}`);
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  void new TestProcess("sh", ["-c", `mkfifo "${fifo}" && (${producer}) > "${fifo}"`], {});
  const script = `until [ -p "${fifo}" ]; do sleep 0.02; done; exec "$0" "$@" < "${fifo}"`;
  const words = [process.execPath, main, "import", "-", "--json", ...args];
  return new TestProcess("sh", ["-c", script, ...words], { GATEWAY_URL: place.url, GATEWAY_KEY: place.key });
}
