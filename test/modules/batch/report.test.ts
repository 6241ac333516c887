import { beforeAll, describe, expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

/** The report against a model that only knows what was sent and what the contract makes of it. */
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const START = Date.UTC(2026, 2, 1);
const iso = (time: number) => new Date(time).toISOString();

const RATE = "{ rate count of target met }";
const FIGURES = `{
  batches rows { total successful failed duplicates invalidData pending rolledBack }
  successRate ${RATE} dataErrorRate ${RATE} duplicateRate ${RATE} errorRate ${RATE}
  processingTime { batches meanMs p95Ms longestMs targetMs met }
}`;
const REPORT = `query ($from: DateTime!, $to: DateTime!, $interval: MigrationInterval) {
  migrationReport(from: $from, to: $to, interval: $interval) {
    from to interval figures ${FIGURES} series { from to figures ${FIGURES} }
    byCode { code field rows share } byField { code field rows share }
  }
}`;

type Kind = keyof typeof KINDS;
type Row = ReturnType<typeof batchRow>;
/** Rows by what becomes of them: what they differ in, their code, and the fields that are named. `first` is the batch's first row, `old` one that exists. */
const KINDS = {
  good: { change: () => ({}), code: null, fields: [] },
  missing: { change: () => ({ email: " ", firstname: null }), code: "INVALID_DATA", fields: ["email", "firstname"] },
  invalid: { change: () => ({ email: "x", country: "ZZ" }), code: "VALIDATION_ERROR", fields: ["email", "country"] },
  consent: { change: () => ({ consent: { source: "s", textVersion: "1" } }), code: "VALIDATION_ERROR", fields: ["consent.at"] },
  twice: {
    change: (first: Row) => ({ reference: first.reference, clientRef: first.clientRef }),
    code: "DUPLICATE_IN_BATCH",
    fields: ["clientRef"],
  },
  exists: { change: (_first: Row, old: Row) => ({ email: old.email }), code: "EXISTING_CUSTOMER", fields: ["email"] },
} satisfies Record<string, { change: (first: Row, old: Row) => object; code: string | null; fields: string[] }>;

interface Sent {
  at: number;
  took: number;
  rows: Kind[];
  atomic?: boolean;
  dryRun?: boolean;
}

const plenty = (kind: Kind, count: number): Kind[] => Array.from({ length: count }, () => kind);
/** What each place sends: when, how long it takes, and which rows. */
const SENT: Record<string, Sent[]> = {
  "alpha SANDBOX": [
    { at: START, took: 400, rows: ["good", "missing", "twice", "invalid"] },
    { at: START + 59 * MINUTE, took: 1_700, rows: ["good", "exists", "consent", "consent"] },
    { at: START + 60 * MINUTE, took: 20_000, rows: ["good", "missing"], atomic: true },
    { at: START + 61 * MINUTE, took: 9_000_000, rows: ["good", "invalid", "exists"], dryRun: true },
    { at: START + 3 * DAY - 1, took: 299_999, rows: plenty("good", 30) },
    { at: START + 3 * DAY, took: 300_000, rows: plenty("good", 3) },
  ],
  "alpha LIVE": [{ at: START + 5 * MINUTE, took: 30, rows: ["good", ...plenty("invalid", 5)] }],
  "beta SANDBOX": [
    { at: START + 10 * MINUTE, took: 250, rows: plenty("good", 200) },
    { at: START + 11 * MINUTE, took: 350, rows: ["good", "consent"] },
  ],
};

/** What a report must say of some batches, with times rounded. */
function figuresOf(batches: Sent[], failedRequests = 0) {
  const kept = batches.filter(({ dryRun }) => !dryRun);
  const codes = (of: Sent, ...wanted: (string | null)[]) => of.rows.filter((kind) => wanted.includes(KINDS[kind].code)).length;
  const sum = (count: (of: Sent) => number) => kept.reduce((total, of) => total + count(of), 0);
  const isUndone = (of: Sent) => of.atomic && of.rows.some((kind) => kind !== "good");
  const rows = {
    total: sum((of) => of.rows.length),
    successful: sum((of) => (isUndone(of) ? 0 : codes(of, null))),
    failed: sum((of) => of.rows.length - codes(of, null)),
    duplicates: sum((of) => codes(of, "DUPLICATE_IN_BATCH", "EXISTING_CUSTOMER")),
    invalidData: sum((of) => codes(of, "INVALID_DATA", "VALIDATION_ERROR")),
    pending: 0,
    rolledBack: sum((of) => (isUndone(of) ? codes(of, null) : 0)),
  };
  const rate = (count: number, of: number, target: number | null, isMet: (rate: number) => boolean) => {
    const value = of === 0 ? null : count / of;
    return { rate: value, count, of, target, met: value === null || target === null ? null : isMet(value) };
  };
  const times = kept.map(({ took }) => took).sort((one, two) => one - two);
  const place = 0.95 * (times.length - 1);
  const [below, above] = [times[Math.floor(place)]!, times[Math.ceil(place)]!];
  const some = times.length > 0;
  return {
    batches: kept.length,
    rows,
    successRate: rate(rows.successful, rows.total, 0.95, (value) => value > 0.95),
    dataErrorRate: rate(rows.invalidData, rows.total, 0.01, (value) => value < 0.01),
    duplicateRate: rate(rows.duplicates, rows.total, null, () => true),
    errorRate: rate(failedRequests, failedRequests + batches.length, 0.02, (value) => value < 0.02),
    processingTime: {
      batches: times.length,
      meanMs: some ? Math.round(times.reduce((total, time) => total + time, 0) / times.length) : null,
      p95Ms: some ? Math.round(below + (above - below) * (place % 1)) : null,
      longestMs: some ? times.at(-1)! : null,
      targetMs: 5 * MINUTE,
      met: some ? times.at(-1)! < 5 * MINUTE : null,
    },
  };
}

function sharesOf(batches: Sent[], keysOf: (kind: (typeof KINDS)[Kind]) => string[]) {
  const kept = batches.filter(({ dryRun }) => !dryRun);
  const all = kept.flatMap(({ rows }) => rows);
  const keys = all.flatMap((kind) => (KINDS[kind].code === null ? [] : keysOf(KINDS[kind])));
  return [...Map.groupBy(keys, (key) => key)].map(([key, { length }]) => ({ key, rows: length, share: length / all.length }));
}

const byKey = (shares: { code: string; field: string | null; rows: number; share: number }[]) =>
  shares.map(({ code, field, ...share }) => ({ key: field === null ? code : `${code} ${field}`, ...share }));
const sorted = <T extends { key: string }>(shares: T[]) => shares.toSorted((one, two) => (one.key < two.key ? -1 : 1));
const round = (time: number | null) => time && Math.round(time);
const rounded = ({ processingTime, ...figures }: any) => ({
  ...figures,
  processingTime: { ...processingTime, meanMs: round(processingTime.meanMs), p95Ms: round(processingTime.p95Ms) },
});

describe.each([
  ["with row-level security", true],
  ["without row-level security", false],
])("%s", async (_name, rowLevelSecurity) => {
  const gateway = await openGateway({ rowLevelSecurity });
  const { db } = gateway.app.services;
  const keys: Record<string, string> = {};
  /** Of each batch, the codes that it gave and those that were meant. */
  const refused: [given: string[], meant: string[]][] = [];

  const report = async (place: string, from: number, to: number, interval?: string) =>
    dataOf((await gateway.query(keys[place]!, REPORT, { from: iso(from), to: iso(to), interval })).body);

  beforeAll(async () => {
    let number = 0;
    for (const place of [...Object.keys(SENT), "beta LIVE"]) {
      const [bank, mode] = place.split(" ") as [string, "SANDBOX" | "LIVE"];
      keys[place] = await gateway.key({ bank, mode });
      const { batch } = caller(gateway, keys[place]);
      const old = batchRow(++number);
      const before = await batch([old]);
      await db.$executeRaw`UPDATE batch SET created_at = ${new Date(START - DAY)}, completed_at = ${new Date(START - DAY)} WHERE id = ${before.id.slice(4)}::uuid`;
      for (const { at, took, rows: kinds, atomic = false, dryRun = false } of SENT[place] ?? []) {
        const first = batchRow(++number);
        const rows = kinds.map((kind, index) => (index === 0 ? first : batchRow(++number, KINDS[kind].change(first, old))));
        const { id, failures } = await batch(rows, { dryRun, atomicity: atomic ? "ALL_OR_NOTHING" : "PARTIAL" });
        refused.push([failures.map(({ code }: { code: string }) => code), kinds.flatMap((kind) => KINDS[kind].code ?? [])]);
        await db.$executeRaw`UPDATE batch SET created_at = ${new Date(at)}, completed_at = ${new Date(at + took)} WHERE id = ${id.slice(4)}::uuid`;
      }
    }
  });

  test("the rows came to what they were meant to", () => {
    for (const [given, meant] of refused) expect(given).toEqual(meant);
    expect(refused).toHaveLength(9);
  });

  const SPANS: [from: number, to: number, interval: "HOUR" | "DAY" | undefined, is: "HOUR" | "DAY"][] = [
    [START, START + 3 * DAY, undefined, "DAY"],
    [START, START + 3 * DAY + 1, "DAY", "DAY"],
    [START + 30 * MINUTE, START + 2 * DAY, undefined, "HOUR"],
    [START - 90 * MINUTE, START + 75 * MINUTE, "HOUR", "HOUR"],
    [START - 90 * MINUTE, START + 75 * MINUTE, "DAY", "DAY"],
    [START + 1, START + 59 * MINUTE, undefined, "HOUR"],
    [START - 300 * DAY, START + 66 * DAY, undefined, "DAY"],
    [START + 10 * DAY, START + 11 * DAY, undefined, "HOUR"],
  ];
  test.each([...Object.keys(SENT), "beta LIVE"])("%s: figures, series, codes and fields", async (place) => {
    for (const [from, to, asked, interval] of SPANS) {
      const sent = (since: number, until: number) => (SENT[place] ?? []).filter(({ at }) => at >= since && at < until);
      const inSpan = (since: number, until: number) => {
        // One row that was there before, of a batch that took no time.
        const before = START - DAY;
        return [...(before >= since && before < until ? [{ at: before, took: 0, rows: ["good" as const] }] : []), ...sent(since, until)];
      };
      const answer = await report(place, from, to, asked);
      expect({ ...answer, figures: rounded(answer.figures) }).toMatchObject({
        from: iso(from),
        to: iso(to),
        interval,
        figures: figuresOf(inSpan(from, to)),
      });
      const step = interval === "HOUR" ? 60 * MINUTE : DAY;
      const edges = [from];
      while (edges.at(-1)! < to) edges.push(Math.min(Math.floor(edges.at(-1)! / step) * step + step, to));
      const steps = edges
        .slice(1)
        .map((end, index) => ({ from: iso(edges[index]!), to: iso(end), figures: figuresOf(inSpan(edges[index]!, end)) }));
      expect(answer.series.map((one: any) => ({ ...one, figures: rounded(one.figures) }))).toEqual(steps);
      expect(sorted(byKey(answer.byCode))).toEqual(sorted(sharesOf(inSpan(from, to), ({ code }) => [code!])));
      expect(sorted(byKey(answer.byField))).toEqual(
        sorted(sharesOf(inSpan(from, to), ({ code, fields }) => fields.map((field) => `${code} ${field}`))),
      );
      for (const shares of [answer.byCode, answer.byField]) {
        const counts = shares.map(({ rows }: { rows: number }) => rows);
        expect(counts).toEqual(counts.toSorted((one: number, two: number) => two - one));
      }
    }
  });

  test("a row that is null is of no field, and pending rows are of no rate", async () => {
    const key = await gateway.key({ bank: "gamma" });
    keys["gamma"] = key;
    const { id } = await caller(gateway, key).batch([null, batchRow(1)]);
    const [from, to] = [Date.now() - DAY, Date.now() + MINUTE];
    expect(await report("gamma", from, to)).toMatchObject({
      byField: [{ code: "INVALID_DATA", field: null, rows: 1, share: 0.5 }],
      figures: { successRate: { rate: 0.5, count: 1, of: 2 } },
    });
    await db.$executeRaw`UPDATE batch SET total = 10, pending = 8, completed_at = NULL, status = 'COMPLETED' WHERE id = ${id.slice(4)}::uuid`;
    expect((await report("gamma", from, to)).figures).toMatchObject({
      rows: { total: 10, pending: 8 },
      successRate: { rate: 0.5, of: 2 },
      dataErrorRate: { rate: 0.5, of: 2 },
      processingTime: { batches: 0, meanMs: null, p95Ms: null, longestMs: null, met: null },
    });
  });

  test("requests that failed as requests count, a fault of the gateway among them; a replay and malformed input do not", async () => {
    const key = (keys["delta"] = await gateway.key({ bank: "delta" }));
    const other = (keys["delta LIVE"] = await gateway.key({ bank: "delta", mode: "LIVE" }));
    const { batch } = caller(gateway, key);
    const hour = 60 * MINUTE;
    const from = Math.floor(Date.now() / hour) * hour - hour;
    const to = from + 3 * hour;
    const rows = [batchRow(1)];
    await batch(rows, { idempotencyKey: "k" });
    expect((await batch(rows, { idempotencyKey: "k" })).replayed).toBe(true);
    await batch(rows, { dryRun: true });
    expect((await batch([])).__typename).toBe("InvalidBatch");
    expect((await batch([], { dryRun: true })).__typename).toBe("InvalidBatch");
    expect((await batch([batchRow(2)], { idempotencyKey: "k" })).__typename).toBe("IdempotencyConflict");
    await expect(batch([{ firstname: 1 }])).rejects.toThrow("BAD_USER_INPUT");
    await expect(caller(gateway, await gateway.key({ bank: "delta", scopes: ["customers:write"] })).batch(rows)).rejects.toThrow(
      "FORBIDDEN",
    );
    await db.$executeRaw`ALTER TABLE batch RENAME TO batch_away`;
    await expect(batch([batchRow(3)])).rejects.toThrow("INTERNAL_SERVER_ERROR");
    await db.$executeRaw`ALTER TABLE batch_away RENAME TO batch`;
    await caller(gateway, other).batch([]);
    // Other mutations of the same bank are not asked about.
    await caller(gateway, key).create({});

    // Failed requests are counted from the audit, whose rows of each mode are written up to a second later.
    for (const [name, rate] of [
      ["delta", { rate: 5 / 7, count: 5, of: 7, target: 0.02, met: false }],
      ["delta LIVE", { rate: 1, count: 1, of: 1, target: 0.02, met: false }],
    ] as const)
      await expect.poll(async () => (await report(name, from, to)).figures.errorRate, { timeout: 20_000 }).toEqual(rate);
    const { series } = await report("delta", from, to, "HOUR");
    expect(series.map(({ figures }: any) => figures.errorRate.count).reduce((one: number, two: number) => one + two)).toBe(5);
    const audit = await gateway.query(
      key,
      "{ audit(first: 50, filter: { actions: [WRITE] }) { nodes { operation outcome documentHash } } }",
    );
    expect(dataOf(audit.body).nodes).toContainEqual({
      operation: "createCustomersBatch",
      outcome: "INTERNAL_SERVER_ERROR",
      documentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test.each([
    ["reversed", "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", null, "to must be later than from."],
    ["empty", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", null, "to must be later than from."],
    ["too long", "2026-03-01T00:00:00Z", "2027-03-02T00:00:00.001Z", null, "A report by the DAY covers at most 366 days."],
    ["too long by the hour", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00.001Z", "HOUR", "A report by the HOUR covers at most 31 days."],
  ])("a span that is %s is BAD_USER_INPUT", async (_what, from, to, interval, message) => {
    const { body } = await gateway.query(keys["alpha SANDBOX"]!, REPORT, { from, to, interval });
    expect(body.errors).toMatchObject([{ message, extensions: { code: "BAD_USER_INPUT" } }]);
  });

  test("a span at either end of time is no fault", async () => {
    for (const [from, to] of [
      ["0000-01-01T00:00:00Z", "0000-12-01T00:00:00Z"],
      ["1969-12-31T00:00:00Z", "1970-01-02T00:00:00Z"],
      ["9999-12-01T00:00:00Z", "9999-12-31T23:59:59.999Z"],
    ]) {
      const answer = dataOf((await gateway.query(keys["alpha SANDBOX"]!, REPORT, { from, to })).body);
      expect(answer.figures).toEqual(figuresOf([]));
    }
  });
});
