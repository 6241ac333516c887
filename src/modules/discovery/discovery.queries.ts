import type { GraphQLResolveInfo } from "graphql";
import { type DiscoveryOutcome, noteDiscovery } from "../../audit/note.ts";
import type { Scope } from "../../access/scopes.ts";
import type { DiscoveryKey } from "../../changes/discovery.ts";
import type { Context } from "../../context.ts";
import { builder } from "../../graphql/builder.ts";
import { isGatewayError } from "../../graphql/errors.ts";
import { facts } from "../../graphql/field-facts.ts";
import { normaliseEmail } from "../../rules/contact.ts";
import { normalDeviceId } from "../../rules/device.ts";
import { Violation } from "../../rules/text.ts";
import { type CustomerBank, discoveryLoader } from "./discovery.loader.ts";
import { askingFor, lackingEntity } from "./discovery.merchant.ts";

/** By what a merchant may ask, what that needs, its one form, and the field of a customer that it is a value of. */
const QUESTIONS = {
  email: { scope: "discovery:read", normalise: normaliseEmail, field: "Customer.email" },
  device: { scope: "devices:lookup", normalise: knownDevice, field: "Customer.devices" },
} as const satisfies Record<DiscoveryKey, object>;

/** Null: no device can have it. */
function knownDevice(raw: string): string | null {
  const id = normalDeviceId(raw);
  return id instanceof Violation ? null : id;
}

/** A question costs as much as a look-up by e-mail, in one list (contract §5), and needs a merchant that is trusted enough. */
const factsOfQuestion = (scope: Scope) =>
  facts<{ entityId?: string | null }>({
    points: () => 20,
    size: () => 1,
    needs: ({ entityId }, context) => lackingEntity(context, entityId, scope),
  });

const CustomerBankType = builder.objectRef<CustomerBank>("CustomerBank").implement({
  description: "A bank where somebody is a customer. Nothing else is told of either.",
  fields: (t) => ({
    bankId: t.exposeID("bankId", { description: "The bank." }),
    phrase: t.exposeString("phrase", { description: "The customer's identity there, for people to say: by it the customer is billed." }),
  }),
});

async function ask(by: DiscoveryKey, value: string, entityId: string | null | undefined, context: Context, info: GraphQLResolveInfo) {
  const { scope, normalise, field } = QUESTIONS[by];
  const merchant = await askingFor(context, entityId, scope);
  const note = (outcome: DiscoveryOutcome, found: readonly CustomerBank[]) =>
    noteDiscovery(context, info, { outcome, merchant: merchant.id, field, customers: new Set(found.map(({ phrase }) => phrase)) });
  try {
    const found = await discoveryLoader(context).load({ merchant, by, value: normalise(value) });
    note("OK", found);
    return found;
  } catch (error) {
    if (isGatewayError(error) && error.extensions["code"] === "RATE_LIMITED") note("RATE_LIMITED", []);
    throw error;
  }
}

const ENTITY =
  "The merchant that is asked for, by its id: one of the own tenant and mode. A merchant's own key leaves it out; every other key gives it.";

/** What both questions say of their answers. */
const ANSWERS =
  "Only customers who consented are found, in the key's own mode; for all others, and for what nobody has, the list is empty. " +
  "By bank, then phrase. Each question counts towards the merchant's hourly discoveries, whoever asks, and leaves an entry in the audit.";

builder.queryFields((t) => ({
  customerBanks: t.field({
    type: [CustomerBankType],
    authScopes: { scope: QUESTIONS.email.scope },
    extensions: factsOfQuestion(QUESTIONS.email.scope),
    description: `For merchants: the banks where the bearer of an e-mail address is a customer. ${ANSWERS}`,
    args: {
      email: t.arg.string({ required: true, description: "The e-mail address, in any case." }),
      entityId: t.arg.id({ description: ENTITY }),
    },
    resolve: (_root, { email, entityId }, context, info) => ask("email", email, entityId, context, info),
  }),
  deviceLookup: t.field({
    type: [CustomerBankType],
    authScopes: { scope: QUESTIONS.device.scope },
    extensions: factsOfQuestion(QUESTIONS.device.scope),
    description: `For merchants whose trust level is ENHANCED or higher: the banks that linked a device to a customer. ${ANSWERS}`,
    args: {
      deviceId: t.arg.string({ required: true, description: "The device's id, as the bank linked it." }),
      entityId: t.arg.id({ description: ENTITY }),
    },
    resolve: (_root, { deviceId, entityId }, context, info) => ask("device", deviceId, entityId, context, info),
  }),
}));
