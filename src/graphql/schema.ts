import "./scalars.ts";
import "../modules/viewer/viewer.queries.ts";
import "../modules/customer/customer.queries.ts";
import "../modules/customer/customer.export.queries.ts";
import "../modules/customer/customer.mutations.ts";
import "../modules/customer/customer.lifecycle.mutations.ts";
import "../modules/customer/customer.batch.mutation.ts";
import "../modules/batch/batch.queries.ts";
import "../modules/batch/batch.progress.ts";
import "../modules/batch/batch.report.queries.ts";
import "../modules/merchant/merchant.fields.ts";
import "../modules/merchant/merchant.batch.mutation.ts";
import "../modules/discovery/discovery.queries.ts";
import "../modules/key/key.fields.ts";
import "../modules/document/document.queries.ts";
import "../modules/document/document.mutations.ts";
import "../modules/webhook/webhook.queries.ts";
import "../modules/webhook/webhook.mutations.ts";
import "../modules/audit/audit.queries.ts";
import "../modules/explain/explain.queries.ts";
import { builder } from "./builder.ts";

/** The schema, in the order of its definition: every module has added its part by being imported. */
export const schema = builder.toSchema({ sortSchema: false });
