import type { Mode } from "../../src/database/generated/enums.ts";
import { columnContext, deviceText } from "../../src/modules/customer/customer.columns.ts";
import { batchRow } from "../support/customers.ts";
import type { TestGateway } from "../support/gateway.ts";

/** What a probe is told: where the data is, whose keys it has, and what it must never see. */
export interface Probe {
  databaseUrl: string;
  /** One key each of those who look: another bank, and another mode of the same one. */
  keys: string[];
  /** Of the one that is looked for. */
  customerId: string;
  batchId: string;
  email: string;
  phrase: string;
  /** A device's global id. */
  device: string;
  /** Ids that exist in every bank and mode, so that only the condition tells them apart. */
  twinId: string;
  twinBatchId: string;
  /** Texts that stand in the data of the one that is looked for and nowhere else. */
  canaries: string[];
}

const PLACES: { bank: string; mode: Mode }[] = [
  { bank: "alpha", mode: "SANDBOX" },
  { bank: "beta", mode: "SANDBOX" },
  { bank: "alpha", mode: "LIVE" },
];

/** Fills alpha's sandbox, beta's sandbox and alpha's live mode; the first is the one that is looked for. */
export async function plant(gateway: TestGateway): Promise<Probe> {
  const { db } = gateway.app.services;
  const keys: string[] = [];
  const made: { customerId: string; batchId: string; email: string; phrase: string; device: string }[] = [];
  for (const [index, place] of PLACES.entries()) {
    const key = await gateway.key(place);
    keys.push(key);
    const row = batchRow(index + 1, {
      lastname: `Canary${index}`,
      accountName: `Canary${index}`,
      clientRef: index === 0 ? "canary-0" : "own",
      state: "Lagos",
    });
    const { body } = await gateway.query(
      key,
      `mutation ($rows: [BatchCustomerInput]!) {
        createCustomersBatch(input: { customers: $rows }) { ... on BatchResult { id customers { nodes { id email phrase } } } } }`,
      { rows: [row, { clientRef: `canary-${index}` }] },
    );
    const { id: batchId, customers } = body.data.createCustomersBatch;
    const [{ id: customerId, email, phrase }] = customers.nodes;
    const linked = await gateway.query(
      key,
      `mutation { linkDevice(input: { id: "${customerId}", deviceId: "canary-${index} device" }) { ... on Customer { devices { id } } } }`,
    );
    const device = linked.body.data.linkDevice.devices[0].id as string;
    await gateway.query(key, `mutation { setBlacklist(input: { id: "${customerId}", blacklisted: true }) { __typename } }`);
    made.push({ customerId, batchId, email, phrase, device });
  }

  // Equal ids in all three, which random ones never are: what hangs on a customer or a batch is found by its id.
  const [twinId, twinBatchId] = [crypto.randomUUID(), crypto.randomUUID()];
  for (const [index, { bank, mode }] of PLACES.entries()) {
    const { customerId, batchId } = made[index]!;
    const clone = (table: string, key: string, id: string, from: string, changes: object) =>
      db.$executeRawUnsafe(
        `INSERT INTO ${table} SELECT (jsonb_populate_record(t, $1::jsonb || jsonb_build_object('${key}', $2::text))).* FROM ${table} t
       WHERE bank_id = $3 AND mode = $4::mode AND ${key} = $5::uuid`,
        JSON.stringify(changes),
        id,
        bank,
        mode,
        from,
      );
    await clone("customer", "id", twinId, customerId, {
      phrase: `twin-${index}`,
      email: `twin.${index}@example.com`,
      client_ref: null,
      reference: null,
    });
    await clone("customer_event", "customer_id", twinId, customerId, { actor: `canary-${index}` });
    if (index === 0) await clone("blacklist_entry", "customer_id", twinId, customerId, { actor: `canary-${index}` });
    if (index === 0) {
      // Sealed for its own place: it opens in no other.
      const place = { bankId: bank, mode, id: crypto.randomUUID() };
      const { keyring } = gateway.app.services;
      const text = "canary-0 twin";
      await db.device.create({
        data: {
          ...place,
          customerId: twinId,
          hash: keyring.hashes("device", deviceText(place, text))[0]!,
          deviceId: keyring.seal("encryption", text, columnContext(place, "deviceId")),
          actor: "canary-0",
          linkedAt: new Date(),
        },
      });
    }
    await clone("batch", "id", twinBatchId, batchId.slice("bat_".length), { created_ids: [] });
    await clone("batch_failure", "batch_id", twinBatchId, batchId.slice("bat_".length), {});
  }
  // A version that tells whose it is.
  await db.$executeRaw`UPDATE customer SET version = 424242 WHERE bank_id = 'alpha' AND mode = 'SANDBOX' AND id = ${made[0]!.customerId}::uuid`;
  const { customerId, batchId, email, phrase, device } = made[0]!;
  const canaries = ["Canary0", "canary-0", "424242", customerId, batchId, email, phrase, "twin-0"];
  return {
    databaseUrl: gateway.config.databaseUrl!,
    keys: keys.slice(1),
    customerId,
    batchId,
    email,
    phrase,
    device,
    twinId,
    twinBatchId: `bat_${twinBatchId}`,
    canaries,
  };
}
