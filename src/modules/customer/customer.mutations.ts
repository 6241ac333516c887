import type { GraphQLResolveInfo } from "graphql";
import { idempotencyKey, keyed, runOnce } from "../../changes/idempotency.ts";
import type { CustomerFieldName } from "../../access/visibility.ts";
import { originOf, write } from "../../changes/write.ts";
import type { Actor } from "../../changes/record-change.ts";
import type { Context } from "../../context.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Transaction } from "../../database/client.ts";
import { builder } from "../../graphql/builder.ts";
import { facts } from "../../graphql/field-facts.ts";
import { type GatewayFailure, IdempotencyConflict } from "../../graphql/failure.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { blacklistEntryLoader } from "./customer.blacklist-entry.ts";
import { setBlacklist } from "./customer.blacklist.ts";
import { completeCustomer, createCustomer } from "./customer.create.ts";
import { devicesLoader } from "./customer.device.ts";
import { CustomerErasedType, eraseCustomer } from "./customer.erase.ts";
import { CustomerAlreadyExists, CustomerNotFound, InvalidCustomerData, VersionConflict } from "./customer.errors.ts";
import { historyLoader } from "./customer.history.ts";
import { CreateCustomerInput, EraseCustomerInput, SetBlacklistInput, UpdateCustomerInput } from "./customer.inputs.ts";
import { customerLoader } from "./customer.loader.ts";
import { requireVisible } from "./customer.policy.ts";
import { loadCustomer } from "./customer.queries.ts";
import { CustomerType } from "./customer.type.ts";
import { updateCustomer } from "./customer.update.ts";

/** The customer as the write left it, under the caller's own visibility. Throws `gone` when it was erased meanwhile. */
async function written(id: string, context: Context, info: GraphQLResolveInfo, gone: GatewayFailure = new CustomerNotFound()) {
  // One document may write a customer twice: what was loaded for the first answer is out of date.
  for (const loader of [customerLoader, blacklistEntryLoader, historyLoader, devicesLoader]) loader(context).clearAll();
  const customer = await loadCustomer("id", fromGlobalId("", id)!, context, info);
  if (!customer) throw gone;
  return customer as never;
}

/** A version tells something only to who may see it: comparing with it is a way to search for it. */
export const asksVersion = ({ input }: { input: { expectedVersion?: number | null } }): CustomerFieldName[] =>
  input.expectedVersion == null ? [] : ["version"];

/** Resolves a mutation of one customer: what `change` does, and the customer as it is then. */
export function changed<Input extends { id: string; expectedVersion?: number | null }>(
  change: (tx: Transaction, keyring: Keyring, actor: Actor, input: Input, asked: Date) => Promise<void>,
) {
  return async (_root: unknown, { input }: { input: Input }, context: Context, info: GraphQLResolveInfo) => {
    for (const field of asksVersion({ input })) requireVisible(context.principal, field);
    await write(context, originOf(context, info), (tx) => change(tx, context.keyring, context.principal, input, new Date()));
    return written(input.id, context, info);
  };
}

builder.mutationFields((t) => ({
  createCustomer: t.field({
    type: CustomerType,
    ...keyed,
    authScopes: { scope: "customers:write" },
    description: "Registers one customer.",
    args: { input: t.arg({ type: CreateCustomerInput, required: true, description: "The new customer." }) },
    errors: {
      types: [InvalidCustomerData, CustomerAlreadyExists, IdempotencyConflict],
      union: { name: "CreateCustomerResult", description: "The new customer, or why there is none." },
    },
    resolve: async (_root, { input: { idempotencyKey: inputKey, ...input } }, context, info) => {
      const call = { mutation: "createCustomer", key: idempotencyKey(context, inputKey), input };
      const { resultId } = await write(context, originOf(context, info), async (tx) => {
        const values = completeCustomer(input);
        const now = new Date();
        return runOnce(tx, context, call, now, (id) => createCustomer(tx, context.keyring, context.principal, values, now, id));
      });
      return written(resultId, context, info, new IdempotencyConflict("The customer whom this idempotency key made was erased."));
    },
  }),
  updateCustomer: t.field({
    type: CustomerType,
    authScopes: { scope: "customers:write" },
    description: "Sets fields of one customer. Values that are already so change nothing.",
    args: { input: t.arg({ type: UpdateCustomerInput, required: true, description: "Which customer, and what to set." }) },
    errors: {
      types: [CustomerNotFound, InvalidCustomerData, CustomerAlreadyExists, VersionConflict],
      union: { name: "UpdateCustomerResult", description: "The customer as it is now, or why it was not updated." },
    },
    extensions: facts({ asks: asksVersion }),
    resolve: changed(updateCustomer),
  }),
  setBlacklist: t.field({
    type: CustomerType,
    authScopes: { scope: "customers:blacklist" },
    description:
      "Puts a customer on the blacklist or takes it off. Repeating it changes nothing and writes no history. A blacklisted " +
      "customer can be read; a new registration with the same e-mail or phone is refused.",
    args: { input: t.arg({ type: SetBlacklistInput, required: true, description: "Which customer, and whether." }) },
    errors: {
      types: [CustomerNotFound, InvalidCustomerData, VersionConflict],
      union: { name: "SetBlacklistResult", description: "The customer as it is now, or why nothing changed." },
    },
    extensions: facts({ asks: asksVersion }),
    resolve: changed(setBlacklist),
  }),
  eraseCustomer: t.field({
    type: CustomerErasedType,
    authScopes: { scope: "customers:erase" },
    description:
      "Destroys every personal value of a customer, for ever. Afterwards the customer is null and in no list, the e-mail is free, and a " +
      "repetition is CustomerNotFound. Who is blacklisted at this moment stays so: a registration with the same e-mail or phone is refused.",
    args: { input: t.arg({ type: EraseCustomerInput, required: true, description: "Whom, and why." }) },
    errors: {
      types: [CustomerNotFound],
      union: { name: "EraseCustomerResult", description: "What is left of the customer, or why nothing was erased." },
    },
    resolve: (_root, { input }, context, info) =>
      write(context, originOf(context, info), (tx) => eraseCustomer(tx, context.keyring, context.principal, input, new Date())),
  }),
}));
