import { within } from "../../access/principal.ts";
import { CUSTOMER_FIELD_NAMES } from "../../access/visibility.ts";
import { Disclosed } from "../../audit/disclosed.ts";
import { hashOfDocument } from "../../audit/document-hash.ts";
import { noteRead } from "../../audit/note.ts";
import type { Context } from "../../context.ts";
import type { ErasedCustomer } from "../../database/generated/client.ts";
import { builder } from "../../graphql/builder.ts";
import { type Connection, connectionType, once, pageArgs } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { facts } from "../../graphql/field-facts.ts";
import { fromGlobalId } from "../../graphql/global-id.ts";
import { newestFirst } from "../../graphql/keyset.ts";
import { type PageArgs, pageRequest, toPage } from "../../graphql/pagination.ts";
import { CustomerErasedType } from "./customer.erase.ts";
import { readCustomerData } from "./customer.export.ts";
import { CustomerDataExport } from "./customer.export.type.ts";

/** What an export costs, in points: some ten statements in one transaction, and what they find. */
const EXPORT = 20;

const CustomerErasedConnection = connectionType("CustomerErased", CustomerErasedType);

builder.queryFields((t) => ({
  exportCustomerData: t.field({
    type: CustomerDataExport,
    nullable: true,
    // The visibility of this very request: one that was lowered gets no export, and no part of one.
    authScopes: { visibility: "SENSITIVE" },
    description:
      "All that is held on a customer, for the person to whom it belongs (GDPR, articles 15 and 20), machine-readable; null when there is no " +
      "such customer here. Each call leaves a read of its own in the audit. Not with `X-Visibility` below SENSITIVE.",
    args: { id: t.arg.id({ required: true, description: "The customer's id." }) },
    extensions: facts({ points: () => EXPORT }),
    resolve: async (_root, { id: globalId }, context, info) => {
      const { db, keyring, principal } = context;
      const id = fromGlobalId("", globalId);
      const madeAt = new Date();
      const data = id === null ? null : await readCustomerData(db, keyring, principal, id, madeAt);
      const disclosed = new Disclosed();
      disclosed.ask(CUSTOMER_FIELD_NAMES);
      if (data) disclosed.show("accountNumber", id!);
      noteRead(context, info.fieldName, hashOfDocument(info.operation), disclosed);
      return data && { customerId: id!, madeAt, data };
    },
  }),
  erasedCustomers: t.field({
    type: CustomerErasedConnection,
    authScopes: { scope: "audit:read" },
    description:
      "The tombstones of the key's bank and mode, newest first: what is left of customers whose data was destroyed. The list that erases them again " +
      "after a restore is `customer-gateway erasures`.",
    args: pageArgs.both(),
    resolve: (_root, args, context) => listErased(args, context),
  }),
}));

function listErased(args: PageArgs, { db, principal, keyring }: Context): Connection<ErasedCustomer> {
  const request = pageRequest(args);
  const here = within(principal);
  const cursors = cursorsOf(keyring, { list: "erasedCustomers", ...here });
  const { where, ...page } = newestFirst(request, cursors, args, { column: "at" });
  return {
    page: once(async () => toPage(await db.erasedCustomer.findMany({ where: { ...here, AND: where }, ...page }), request)),
    cursor: ({ at, id }) => cursors.seal([at.getTime(), id]),
    count: () => Promise.reject(new Error("tombstones are not counted")),
  };
}
