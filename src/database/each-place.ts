import { Prisma } from "./generated/client.ts";

/**
 * For FROM: every bank and mode, as `place.bank_id` and `place.mode`. What is due anywhere is looked for in each in turn, by an index that they
 * lead, instead of in a whole table.
 */
export const EACH_PLACE = Prisma.sql`(
  SELECT id AS bank_id, mode FROM tenant CROSS JOIN unnest(enum_range(NULL::mode)) AS mode
) AS place`;
