import { findExisting } from "../../changes/insert-unique.ts";
import { CUSTOMER_KEYS } from "../../graphql/enums.ts";
import { missingFields } from "../../rules/fields.ts";
import type { BatchKind } from "../batch/batch.rows.ts";
import { insertMerchants } from "./merchant.insert.ts";
import { type MerchantInput, type MerchantValues, normaliseMerchant, REQUIRED_FIELDS } from "./merchant.rules.ts";

/** Batches of merchants: the rules and columns that the batch core is given. */
export const MERCHANT_BATCH: BatchKind<MerchantInput, MerchantValues> = {
  name: "MERCHANT",
  keys: CUSTOMER_KEYS,
  check(row) {
    const missing = missingFields(row, REQUIRED_FIELDS);
    if (missing.length > 0) return { code: "INVALID_DATA", issues: missing };
    const { values, issues } = normaliseMerchant(row);
    return issues.length > 0 ? { code: "VALIDATION_ERROR", issues } : { values };
  },
  async write(tx, actor, at, rows, dryRun) {
    if (!dryRun) return insertMerchants(tx, actor, at, rows);
    return (await findExisting(tx, actor, "merchant", rows)).map((existing) => existing ?? { id: "" });
  },
};
