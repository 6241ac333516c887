import type { AuditEntry } from "../../database/generated/client.ts";
import type { AuditAction } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { connectionType } from "../../graphql/connection.ts";
import { AudienceEnum } from "../../graphql/enums.ts";
import { toGlobalId } from "../../graphql/global-id.ts";

export const AuditActionEnum = builder.enumType("AuditAction", {
  description: "What an audit entry tells of.",
  values: {
    READ: { description: "Fields above STANDARD were shown, or customers were looked up, filtered or sorted by them, found or not." },
    WRITE: { description: "A mutation ran, or the gateway's own work changed something." },
    REFUSAL: { description: "An access was refused." },
    START: { description: "A gateway process began its chain. For the operator." },
  } satisfies Record<AuditAction, object>,
});

export const AuditEntryType = builder.objectRef<AuditEntry>("AuditEntry").implement({
  description: "Who read, wrote or was refused what: names and counts, never a value.",
  fields: (t) => ({
    id: t.id({ description: "`aud_` and a UUID.", resolve: ({ id }) => toGlobalId("aud", id) }),
    at: t.field({
      type: "DateTime",
      description: "When. Of several requests that were added up, the first one's time.",
      resolve: ({ at }) => at,
    }),
    actor: t.exposeString("actor", {
      nullable: true,
      description: "The id of the key, `jwt-` and a hash for a token, or `gateway` for its own work; null for callers without a valid key.",
    }),
    audience: t.field({ type: AudienceEnum, nullable: true, description: "The key's audience.", resolve: ({ audience }) => audience }),
    requestId: t.exposeString("requestId", {
      nullable: true,
      description: "The request, as in X-Request-Id; null when several were added up.",
    }),
    action: t.field({ type: AuditActionEnum, description: "What it tells of.", resolve: ({ action }) => action }),
    operation: t.exposeString("operation", {
      nullable: true,
      description: "The first root field or the job; for a refusal, the field that was refused.",
    }),
    outcome: t.exposeString("outcome", { description: "`OK`, or the code of the failure or refusal, e.g. `FORBIDDEN_FIELD`." }),
    documentHash: t.exposeString("documentHash", {
      nullable: true,
      description: "SHA-256 of the GraphQL document, 64 lower-case hex digits. Null for refusals and for what had none.",
    }),
    customers: t.exposeInt("customers", { description: "How many distinct customers were read or written." }),
    count: t.exposeInt("count", { description: "How many times it happened: like refusals within a second are one entry." }),
    fields: t.exposeStringList("fields", { description: "The fields that were read, changed or refused, e.g. `Customer.email`." }),
    subjects: t.exposeStringList("subjects", {
      description: "The ids of the keys, the bank, the batch or the merchants that were written; for START, the heads of other chains.",
    }),
  }),
});

export const AuditEntryConnection = connectionType("AuditEntry", AuditEntryType);
