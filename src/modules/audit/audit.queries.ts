import { auditPlace } from "../../audit/place.ts";
import type { Context } from "../../context.ts";
import type { AuditEntry } from "../../database/generated/client.ts";
import type { AuditAction } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";
import { type Connection, once, pageArgs } from "../../graphql/connection.ts";
import { cursorsOf } from "../../graphql/cursor.ts";
import { badUserInput } from "../../graphql/errors.ts";
import { newestFirst } from "../../graphql/keyset.ts";
import { type PageArgs, pageRequest, toPage } from "../../graphql/pagination.ts";
import { AuditActionEnum, AuditEntryConnection } from "./audit.type.ts";

/** A bank's audit is its own; the operator reads the operator's. */
const READ_AUDIT = { $any: { scope: "audit:read", operator: "banks:manage" } } as const;

const MAX_FILTER_VALUES = 100;
const MAX_ACTOR = 100;

interface AuditFilter {
  actions?: readonly AuditAction[] | null;
  actors?: readonly string[] | null;
  from?: Date | null;
  to?: Date | null;
}

const AuditFilterInput = builder.inputType("AuditFilter", {
  description: "Only entries that match all that is given.",
  fields: (t) => ({
    actions: t.field({ type: [AuditActionEnum], description: "Any of these actions." }),
    actors: t.stringList({ description: `Any of these actors, as \`AuditEntry.actor\` has them; at most ${MAX_FILTER_VALUES}.` }),
    from: t.field({ type: "DateTime", description: "Not before this moment." }),
    to: t.field({ type: "DateTime", description: "Before this moment." }),
  }),
});

builder.queryField("audit", (t) =>
  t.field({
    type: AuditEntryConnection,
    authScopes: READ_AUDIT,
    description:
      "The audit of the key's own bank and mode, newest first: every mutation, every read above STANDARD and every refused access. " +
      "The operator's key reads the operator's entries only, callers without a valid key among them. An entry shows up within a second or two.",
    args: { ...pageArgs.forward(), filter: t.arg({ type: AuditFilterInput, description: "Which entries." }) },
    resolve: (_root, args, context) => listAudit(args, context),
  }),
);

function listAudit(
  { filter, ...args }: PageArgs & { filter?: AuditFilter | null },
  { db, principal, keyring }: Context,
): Connection<AuditEntry> {
  const request = pageRequest(args);
  const place = auditPlace(principal);
  const cursors = cursorsOf(keyring, { list: "audit", ...place, filter: filter ?? {} });
  const { where, ...page } = newestFirst(request, cursors, args, { column: "at" });
  const condition = { ...place, AND: [...conditions(filter ?? {}), ...where] };
  return {
    page: once(async () => toPage(await db.auditEntry.findMany({ where: condition, ...page }), request)),
    cursor: ({ at, id }) => cursors.seal([at.getTime(), id]),
    count: () => Promise.reject(new Error("the audit is not counted")),
  };
}

function conditions({ actions, actors, from, to }: AuditFilter): object[] {
  if (actors && actors.length > MAX_FILTER_VALUES) throw badUserInput(`filter.actors takes at most ${MAX_FILTER_VALUES} values.`);
  // What no actor can be is not sent: PostgreSQL takes no NUL.
  const known = actors?.filter((actor) => actor.length <= MAX_ACTOR && /^[\w-]+$/.test(actor));
  return [
    ...(actions ? [{ action: { in: [...actions] } }] : []),
    ...(known ? [{ actor: { in: known } }] : []),
    ...(from ? [{ at: { gte: atLeast(from) } }] : []),
    ...(to ? [{ at: { lt: atLeast(to) } }] : []),
  ];
}

/** PostgreSQL reads no year 0; no entry is as old. */
function atLeast(date: Date): Date {
  return date.getTime() < 0 ? new Date(0) : date;
}
