import { createContextCache } from "@pothos/core";
import DataLoader from "dataloader";
import { within } from "../../access/principal.ts";
import { merchantOwner, providerOwner } from "../../access/trust.ts";
import { type DiscoveryKey, discoveryHashes } from "../../changes/discovery.ts";
import type { Context } from "../../context.ts";
import type { Entity } from "./discovery.merchant.ts";

/** Where somebody is a customer, and by which phrase. */
export interface CustomerBank {
  readonly bankId: string;
  readonly phrase: string;
}

interface Question {
  readonly merchant: Entity;
  readonly by: DiscoveryKey;
  /** In its normal form; null: there is no such value, so that nobody has it. */
  readonly value: string | null;
}

/**
 * Answers the questions of merchants: where in the principal's mode somebody is a customer who consented. Each counts, the same one twice
 * as well; those of a tick are paid together, so that what does not fit is refused whole, and are one statement, which is the same whether
 * anybody is found.
 */
export const discoveryLoader = createContextCache(
  (context: Context) =>
    new DataLoader<Question, CustomerBank[]>((questions) => answer(context, questions), { cache: false, maxBatchSize: Infinity }),
);

async function answer({ db, keyring, principal, charge }: Context, questions: readonly Question[]): Promise<CustomerBank[][]> {
  const asked = [...Map.groupBy(questions, ({ merchant }) => merchant.id).values()];
  await charge.payDiscoveries(
    asked.map((same) => ({ merchant: merchantOwner(same[0]!.merchant.id, same[0]!.merchant.trustLevel), questions: same.length })),
    providerOwner(principal),
  );
  const { mode } = within(principal);
  // Nobody is known by the empty text.
  const hashes = questions.map(({ by, value }) => discoveryHashes(keyring, mode, by, value ?? ""));
  const rows = await db.discovery.findMany({
    where: { mode, hash: { in: hashes.flat() } },
    select: { hash: true, bankId: true, phrase: true },
  });
  const found = Map.groupBy(rows, ({ hash }) => textOf(hash));
  return hashes.map((own) => inOrder(own.flatMap((hash) => found.get(textOf(hash)) ?? [])));
}

const textOf = (hash: Uint8Array) => Buffer.from(hash).toString("hex");

/** By bank, then phrase, in byte order. While keys rotate a customer may stand there twice. */
function inOrder(rows: readonly CustomerBank[]): CustomerBank[] {
  const byText = new Map(rows.map(({ bankId, phrase }) => [`${bankId} ${phrase}`, { bankId, phrase }]));
  return [...byText.keys()].sort().map((text) => byText.get(text)!);
}
