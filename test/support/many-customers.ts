import type { Mode } from "../../src/database/generated/enums.ts";
import { ownWork, write } from "../../src/changes/write.ts";
import { insertCustomers } from "../../src/modules/customer/customer.insert.ts";
import type { CustomerValues } from "../../src/modules/customer/customer.rules.ts";
import { batchRow } from "./customers.ts";
import type { TestGateway } from "./gateway.ts";

/** Where customers are to be; the bank exists once it has a key. */
export interface Place {
  bank?: string;
  mode?: Mode;
}

/** Far from the numbers that tests give rows themselves. */
let serial = 1_000_000;

/**
 * Inserts customers at a chosen moment, by the statement that the mutations use. One for each entry of
 * `changes`, which says how it differs from a plain one. Their ids, in order.
 */
export async function insertMany(
  { app }: TestGateway,
  { bank = "alpha", mode = "SANDBOX" }: Place,
  at: Date,
  changes: CustomerValues[],
  newId?: () => string,
): Promise<string[]> {
  const { keyring } = app.services;
  const origin = ownWork({ tenantId: bank, mode }, "test");
  const rows = changes.map((change) => batchRow((serial += 1), change));
  const ids: string[] = [];
  for (let start = 0; start < rows.length; start += 500) {
    const inserted = await write(app.services, origin, (tx) =>
      insertCustomers(tx, keyring, origin.actor, at, rows.slice(start, start + 500), newId),
    );
    for (const result of inserted) {
      if (!("id" in result) || "matchedOn" in result) throw new Error("a customer of the test exists already");
      ids.push(result.id);
    }
  }
  return ids;
}
