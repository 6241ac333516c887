import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { Merchant } from "../../database/generated/client.ts";
import type { TrustLevel } from "../../database/generated/enums.ts";
import { type Connection, MAX_COUNT, once, toCount } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { newestFirst } from "../../graphql/keyset.ts";
import { type PageArgs, pageRequest, toPage } from "../../graphql/pagination.ts";

export interface MerchantsArgs extends PageArgs {
  filter?: { trustLevels?: readonly TrustLevel[] | null } | null;
}

/** The merchants of the principal's tenant and mode, newest first. */
export function listMerchants({ filter, ...args }: MerchantsArgs, { db, keyring, principal }: Context): Connection<Merchant> {
  const request = pageRequest(args);
  const trustLevels = filter?.trustLevels && [...new Set(filter.trustLevels)].sort();
  const condition = { ...within(principal), ...(trustLevels && { trustLevel: { in: trustLevels } }) };
  const cursors = cursorsOf(keyring, { list: "merchants", ...within(principal), trustLevels });
  const { where, ...page } = newestFirst(request, cursors, args);
  return {
    page: once(async () => toPage(await db.merchant.findMany({ where: { ...condition, AND: where }, ...page }), request)),
    cursor: ({ createdAt, id }) => cursors.seal([createdAt.getTime(), id]),
    count: once(async () => toCount(await db.merchant.count({ where: condition, take: MAX_COUNT + 1 }))),
  };
}
