import { builder } from "../../graphql/builder.ts";
import { facts } from "../../graphql/field-facts.ts";

/** What is told of a kind of data: articles 15 and 20 of the GDPR ask for its purpose, its source and how long it is kept. */
interface CategoryFacts {
  readonly description: string;
  readonly purpose: string;
  readonly source: string;
  readonly kept: string;
}

const UNTIL_ERASED = "Until the customer is erased: on request, or by the bank's rule for customers whom nobody has written for long.";

/** Every kind of data that the gateway holds on a customer, in the order in which an export tells them. */
const CATEGORIES = {
  PROFILE: {
    description: "The customer: each of its fields.",
    purpose: "To know the bank's customer, and to serve it.",
    source: "The bank, when it registered the customer and whenever it wrote to it; the phrase, version and times are the gateway's.",
    kept: UNTIL_ERASED,
  },
  CONSENT: {
    description: "The consent on record.",
    purpose: "To show what the customer agreed to, and to let merchants find those who agreed.",
    source: "The bank, as it asked the customer.",
    kept: UNTIL_ERASED,
  },
  BLACKLIST: {
    description: "Every period on the blacklist, past ones too, with its note.",
    purpose: "To keep the bank and its customers from harm.",
    source: "The bank's staff.",
    kept: UNTIL_ERASED,
  },
  BLACKLISTED_IDENTITY: {
    description:
      "Of which values there is a keyed hash, by which a new registration of somebody blacklisted is known. Null: of one that was changed since.",
    purpose: "To refuse a new registration of who is blacklisted.",
    source: "Made by the gateway of the e-mail and the phone.",
    kept: "As long as the blacklist entry, which goes on when the customer is erased.",
  },
  HISTORY: {
    description: "Who did what and when: names of fields, no values.",
    purpose: "To account for every write.",
    source: "Recorded by the gateway.",
    kept: "With the customer, and after an erasure as long as its tombstone: it holds no personal value.",
  },
  DEVICES: {
    description: "The linked devices.",
    purpose: "To know the customer by its device.",
    source: "The bank, when it linked the device.",
    kept: "Until the device is unlinked or the customer is erased.",
  },
  DISCOVERY: {
    description: "By what merchants may find the customer: a keyed hash of its e-mail or of a device. They are told bank and phrase.",
    purpose: "To let merchants find customers who consented.",
    source: "Made by the gateway, since the consent that it names.",
    kept: "Until consent is withdrawn, the value is changed, or the customer is erased.",
  },
  BATCHES: {
    description: "The row of a batch that made the customer, and refused rows that tell of it.",
    purpose: "To tell the bank what became of each row that it sent.",
    source: "The bank's batches.",
    kept: "As long as the batch's record, by the bank's rule for batches; the bank's own references until the customer is erased.",
  },
  IDEMPOTENCY: {
    description: "The key that the bank registered the customer with.",
    purpose: "To register nobody twice.",
    source: "The bank's system.",
    kept: "24 hours.",
  },
  WEBHOOKS: {
    description: "Who was told of the customer by webhook, of what, when, and with what outcome. What was told is not kept.",
    purpose: "To tell the bank's systems what happened.",
    source: "Recorded by the gateway.",
    kept: "30 days; the last to each endpoint as long as the endpoint, or the tombstone.",
  },
} as const satisfies Record<string, CategoryFacts>;

export type CategoryName = keyof typeof CATEGORIES;

/** What is held on a customer: of each category its records, which may be none. */
export type CustomerData = Readonly<Record<CategoryName, readonly Record<string, unknown>[]>>;

/** An export, of one moment. */
export interface CustomerExport {
  readonly customerId: string;
  readonly madeAt: Date;
  readonly data: CustomerData;
}

/** Grows when records change in a way that would break who reads them; new members of records do not. */
const FORMAT_VERSION = 1;

const CategoryEnum = builder.enumType("CustomerDataCategoryName", {
  description: "A kind of data that is held on a customer.",
  values: Object.fromEntries(Object.entries(CATEGORIES).map(([name, { description }]) => [name, { description }])) as Record<
    CategoryName,
    { description: string }
  >,
});

const CategoryType = builder.objectRef<{ name: CategoryName; records: CustomerData[CategoryName] }>("CustomerDataCategory").implement({
  description: "One kind of data that is held on a customer.",
  fields: (t) => ({
    name: t.field({ type: CategoryEnum, description: "Which kind.", resolve: ({ name }) => name }),
    purpose: t.string({ description: "What it is held for.", resolve: ({ name }) => CATEGORIES[name].purpose }),
    source: t.string({ description: "Where it comes from.", resolve: ({ name }) => CATEGORIES[name].source }),
    kept: t.string({ description: "How long it is kept.", resolve: ({ name }) => CATEGORIES[name].kept }),
    records: t.field({
      type: ["JSONObject"],
      description: "All that is held, decrypted; empty: nothing. docs/privacy.md describes the members. Times are ISO 8601, in UTC.",
      resolve: ({ records }) => records,
    }),
  }),
});

export const CustomerDataExport = builder.objectRef<CustomerExport>("CustomerDataExport").implement({
  description: "All that is held on a customer, as it stood at one moment.",
  fields: (t) => ({
    formatVersion: t.int({
      description: "The form of the records. New members may come under the same version.",
      resolve: () => FORMAT_VERSION,
    }),
    customerId: t.exposeID("customerId", { description: "The customer's id." }),
    madeAt: t.field({ type: "DateTime", description: "When it was made.", resolve: ({ madeAt }) => madeAt }),
    categories: t.field({
      type: [CategoryType],
      description: "Every kind of data, those of which there is none too.",
      extensions: facts({ points: () => 0, size: () => 1 }),
      resolve: ({ data }) => (Object.keys(CATEGORIES) as CategoryName[]).map((name) => ({ name, records: data[name] })),
    }),
  }),
});
