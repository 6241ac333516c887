import fc from "fast-check";
import { expect, test } from "vitest";
import { caller } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { BLANKS, type Failure, Model, PHONES, type Row, type Stored, WORLD } from "./model.ts";

const gateway = await openGateway();
const { db } = gateway.app.services;

/** Mostly good values, so that rows come far enough to collide. */
const valueOf = (good: string[], bad: string[]) =>
  fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
    { weight: 1, arbitrary: fc.constantFrom(null, ...BLANKS) },
  );
const fields = Object.fromEntries(
  [...Object.entries(WORLD), ["phone", new Map([...PHONES].map(([sent, forms]) => [sent, forms.NG]))] as const].map(([field, values]) => {
    const all = [...values.keys()];
    return [
      field,
      valueOf(
        all.filter((sent) => values.get(sent) !== null),
        all.filter((sent) => values.get(sent) === null),
      ),
    ];
  }),
);
const optional = ["middlename", "address", "state", "gender", "phone"];
const row: fc.Arbitrary<Row> = fc.oneof(
  { weight: 30, arbitrary: fc.record(fields, { requiredKeys: Object.keys(fields).filter((field) => !optional.includes(field)) }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const rarely = fc.constantFrom(true, false, false, false);
const rows = fc.array(row, { minLength: 1, maxLength: 8 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ rows, atomic: rarely, dry: rarely, live: rarely }) },
  { weight: 2, arbitrary: fc.record({ blacklist: fc.nat() }) },
);
const first = fc.record({ rows, atomic: fc.constant(false), dry: fc.constant(false), live: fc.constant(false) });

let bank = 0;

test("a model of the contract agrees on failures, order, sums, ids and what the database holds", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(first, fc.array(step, { minLength: 2, maxLength: 8 }), async (start, steps) => {
      const bankId = `model-${++bank}`;
      const inMode = async (mode: "SANDBOX" | "LIVE") => ({
        mode,
        model: new Model(),
        ...caller(gateway, await gateway.key({ bank: bankId, mode })),
      });
      const modes = [await inMode("SANDBOX"), await inMode("LIVE")] as const;
      const ids = new Map<Stored, string>();
      for (const each of [start, ...steps]) {
        if ("blacklist" in each) {
          const { model, blacklist } = modes[0];
          const customer = model.customers[each.blacklist % model.customers.length];
          if (!customer) continue;
          await blacklist({ id: ids.get(customer), blacklisted: true });
          model.blacklist(customer);
          continue;
        }
        const { model, batch } = modes[each.live ? 1 : 0];
        const result = await batch(each.rows, { atomicity: each.atomic ? "ALL_OR_NOTHING" : "PARTIAL", dryRun: each.dry });
        const expected = model.run(each.rows, each);
        for (const { code, fields: names } of expected.failures)
          seen.add(names?.[0] === null && code === "VALIDATION_ERROR" ? "blacklisted" : code);
        expect(result).toMatchObject({ status: expected.status, summary: expected.summary, createdCount: expected.written.length });
        expect(result.customerIds).toHaveLength(expected.written.length);
        expected.written.forEach((customer, place) => ids.set(customer, result.customerIds[place]));
        expect(result.failures.map(told)).toEqual(expected.failures.map((failure) => known(failure, ids)));
      }
      for (const { mode, model } of modes) {
        const stored = await db.customer.findMany({ where: { bankId, mode } });
        expect(stored).toHaveLength(model.customers.length);
        for (const customer of model.customers) {
          const { accountNumber: _, ...plain } = customer;
          expect(stored.find(({ id }) => id === ids.get(customer))).toMatchObject(plain);
        }
      }
    }),
    { numRuns: 60 },
  );
  // The world is small enough for every outcome to come up.
  expect([...seen].sort()).toEqual(["DUPLICATE_IN_BATCH", "EXISTING_CUSTOMER", "INVALID_DATA", "VALIDATION_ERROR", "blacklisted"]);
}, 180_000);

/** What the gateway tells of a failure, in the model's words. */
function told({ index, code, issues, field, matchedOn, firstIndex, customerId }: any) {
  return {
    index,
    code,
    fields: issues?.map((issue: { field: string | null }) => issue.field).sort(),
    key: field ?? matchedOn,
    firstIndex,
    customerId,
  };
}

function known({ customer, fields: names, ...failure }: Failure, ids: Map<Stored, string>) {
  return { key: undefined, firstIndex: undefined, ...failure, fields: names?.toSorted(), customerId: customer && ids.get(customer) };
}
