import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { within } from "../../access/principal.ts";
import type { Context } from "../../context.ts";
import type { BlacklistEntry } from "../../database/generated/client.ts";
import { builder } from "../../graphql/builder.ts";
import { BlacklistReasonEnum } from "../../graphql/enums.ts";
import { columnContext } from "./customer.columns.ts";

/** What binds an encrypted note to its entry. */
export function noteContext(entry: Pick<BlacklistEntry, "bankId" | "mode" | "customerId" | "version">): string {
  return columnContext({ ...entry, id: entry.customerId }, `blacklist.note.${entry.version}`);
}

/** The entry in force of each customer at this moment, by customer id; null where there is none. */
export const blacklistEntryLoader = createContextCache(
  (context: Context) =>
    new DataLoader<string, BlacklistEntry | null>(async (customerIds) => {
      const entries = await context.db.blacklistEntry.findMany({
        where: {
          ...within(context.principal),
          customerId: { in: [...customerIds] },
          endedAt: null,
          OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }],
        },
      });
      const byCustomer = new Map(entries.map((entry) => [entry.customerId, entry]));
      return customerIds.map((id) => byCustomer.get(id) ?? null);
    }),
);

export const BlacklistEntryType = builder.objectRef<BlacklistEntry>("BlacklistEntry").implement({
  description: "A period that a customer spends on the blacklist.",
  fields: (t) => ({
    reason: t.field({ type: BlacklistReasonEnum, description: "Why.", resolve: ({ reason }) => reason }),
    note: t.string({
      nullable: true,
      description: "A note for the bank's staff, at most 1,000 characters. Encrypted at rest.",
      resolve: (entry, _args, { keyring }) => entry.note && keyring.open("encryption", entry.note, noteContext(entry)),
    }),
    actor: t.exposeString("actor", { description: "The id of the key that set it." }),
    since: t.field({ type: "DateTime", description: "Since when.", resolve: ({ since }) => since }),
    expiresAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "Until when; null: until it is lifted.",
      resolve: ({ expiresAt }) => expiresAt,
    }),
  }),
});
