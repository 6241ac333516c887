import { CUSTOMER_FIELD_NAMES, type CustomerFieldName } from "../../src/access/visibility.ts";
import { batchRow } from "../support/customers.ts";
import type { TestGateway } from "../support/gateway.ts";

/** What each personal field holds, which nothing else does: as the API shows it, so that it can be looked for in any text. */
export const CANARIES = {
  firstname: "Zqfirst",
  lastname: "Zqlast",
  middlename: "Zqmiddle",
  email: "zqmail@example.com",
  phone: "+2348031234567",
  address: "Zqaddress 1",
  state: "Zqstate",
  clientRef: "zqclientref",
  reference: "zqreference",
  consent: "zqconsent",
  accountNumber: "7319462850",
  version: "734519",
  createdAt: "2001-02-03T04:05:06.000Z",
  updatedAt: "2002-03-04T05:06:07.000Z",
  blacklist: "zqnote",
  devices: "zqdevice",
  lifecycle: "DEVICE_LINKED",
} satisfies { [Field in CustomerFieldName]?: string };
export type CanaryField = keyof typeof CANARIES;

/** Those that are in the database as they are shown. */
export const PERSONAL = Object.values(CANARIES).filter((text) => !/^(7345|200)/.test(text));

/** Other forms of the same values: what a driver or a log would make of them. */
export const OTHER_FORMS = [
  "2001-02-03",
  "2002-03-04",
  "981173106",
  "1015218367",
  "2003-04-05",
  "1049522828",
  "zqtextversion",
  "8031234567",
  "234803",
];

/** The columns that only this field is made of; a key column and a page's order are read for everyone. */
export const COLUMNS: { [Field in CustomerFieldName]?: string } = {
  ...Object.fromEntries(
    CUSTOMER_FIELD_NAMES.map((name) => [name, `"customer"."${name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)}"`]),
  ),
  id: undefined,
  bankId: undefined,
  // A customer's lifecycle is made of consent, devices and blacklist.
  consent: '"customer"."consent_source',
  lifecycle: '"customer"."device_count"',
  paymentsEnabled: '"customer"."device_count"',
  devices: '"device"',
  blacklist: "blacklist_entry",
  history: "customer_event",
};

/** A customer with a canary in every field, its batch, and what names them. */
export async function plantCanaries(gateway: TestGateway): Promise<{ id: string; batchId: string; key: string }> {
  const key = await gateway.key();
  const { firstname, lastname, middlename, email, phone, address, state, clientRef, reference, accountNumber } = CANARIES;
  const row = batchRow(1, {
    firstname,
    lastname,
    middlename,
    email,
    phone,
    address,
    state,
    clientRef,
    reference,
    accountNumber,
    consent: { source: CANARIES.consent, at: "2003-04-05T06:07:08.000Z", textVersion: "zqtextversion" },
    accountName: "Plain Name",
    gender: "OTHER",
  });
  const { body } = await gateway.query(
    key,
    "mutation ($rows: [BatchCustomerInput]!) { createCustomersBatch(input: { customers: $rows }) { ... on BatchResult { id customerIds } } }",
    { rows: [row] },
  );
  const { id: batchId, customerIds } = body.data.createCustomersBatch;
  const id: string = customerIds[0];
  await gateway.query(key, `mutation { linkDevice(input: { id: "${id}", deviceId: "${CANARIES.devices}" }) { __typename } }`);
  await gateway.query(
    key,
    `mutation { setBlacklist(input: { id: "${id}", blacklisted: true, note: "${CANARIES.blacklist}" }) { __typename } }`,
  );
  const { db } = gateway.app.services;
  await db.$executeRawUnsafe(
    `UPDATE customer SET version = ${CANARIES.version}, created_at = '${CANARIES.createdAt}', updated_at = '${CANARIES.updatedAt}' WHERE id = '${id}'`,
  );
  return { id, batchId, key };
}
