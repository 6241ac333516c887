import type { ClientBase } from "pg";

/** What in the database itself keeps rows apart and the audit whole, where it is not as the migrations made it. */
export interface GuardFaults {
  /** Tables whose row-level security is switched off. */
  readonly unprotectedTables: string[];
  /** Tables whose policies are other than the migrations', or where one is missing or too many. */
  readonly changedPolicies: string[];
  /** Functions that requests may call and that run as somebody else, where they are not the migrations'. */
  readonly strangeFunctions: string[];
  /** Tables of the audit that can be changed: their trigger is missing, switched off or another. */
  readonly missingTriggers: string[];
}

const BANK = "current_setting('gateway.bank'::text, true)";
const MODE = "mode = (NULLIF(current_setting('gateway.mode'::text, true), ''::text))::mode";
const IS_LIVE = "current_setting('gateway.mode'::text, true) = 'LIVE'::text";
const IS_OPERATOR = "(current_setting('gateway.operator'::text, true) = 'on'::text)";

/** A table's policy as PostgreSQL prints it: name, command, what is seen, what is written; the last two null for none. */
type Policy = [name: string, command: string, using: string | null, check: string | null];

/** Of a table with a bank's rows, unless it stands below. Source of all: the migrations. */
const OF_BANK_AND_MODE: Policy[] = [["own_bank_and_mode", "ALL", `((bank_id = ${BANK}) AND (${MODE}))`, null]];

/** Rows of tenants that are the tenant's merchants. */
const OF_MERCHANTS = (table: string) =>
  `(EXISTS ( SELECT FROM tenant WHERE ((tenant.id = ${table}.tenant_id) AND (tenant.provider_id = ${BANK}))))`;

const OF_TABLE: Record<string, Policy[]> = {
  api_key: [
    ["operator_looks", "SELECT", IS_OPERATOR, null],
    ["operator_makes", "INSERT", null, IS_OPERATOR],
    ["own_bank_and_mode", "ALL", `((tenant_id = ${BANK}) AND ((${MODE}) OR (${IS_LIVE})))`, null],
    ["own_merchants", "ALL", `((${MODE}) AND ${OF_MERCHANTS("api_key")})`, null],
  ],
  audit_link: [],
  discovery: [
    ["found_within_mode", "SELECT", `(${MODE})`, null],
    ["own_bank_and_mode", "ALL", `((bank_id = ${BANK}) AND (${MODE}))`, null],
  ],
  client: [
    ["own_merchants", "ALL", OF_MERCHANTS("client"), null],
    ["own_tenant", "ALL", `((tenant_id = ${BANK}) OR ${IS_OPERATOR})`, null],
  ],
  tenant: [
    ["own_merchants", "ALL", `(provider_id = ${BANK})`, null],
    [
      "own_tenant",
      "ALL",
      `((id = ${BANK}) OR ${IS_OPERATOR})`,
      `((id = ${BANK}) OR (${IS_OPERATOR} AND (kind = ANY (ARRAY['BANK'::tenant_kind, 'PROVIDER'::tenant_kind]))))`,
    ],
  ],
};

/**
 * Each table with a bank's rows or named above, and its policies in order of name; one for other roles has their names in it.
 * Conditions in one line each. Not partitions: requests reach them through the table above them only, on whose own they have no right.
 */
const TABLES = `
  SELECT c.relname AS name, c.relrowsecurity AS secured, coalesce((
    SELECT json_agg(json_build_array(
      CASE WHEN p.permissive = 'PERMISSIVE' AND p.roles = '{customer_gateway_tenant}' THEN p.policyname::text
        ELSE concat_ws(' ', p.policyname, p.permissive, p.roles::text) END,
      p.cmd, regexp_replace(p.qual, '\\s+', ' ', 'g'), p.with_check) ORDER BY p.policyname)
    FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname), '[]') AS policies
  FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND (c.relname = ANY ($1)
    OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'bank_id'))
  ORDER BY 1`;

/** Of each function of the migrations that runs as the tables' owner, the MD5 of its text. */
const FUNCTIONS = { customer_search: "374fbabf2262e565142e2c3aab646d47" };

const STRANGE_FUNCTIONS = `
  SELECT p.proname AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
    AND has_function_privilege('customer_gateway_tenant', p.oid, 'EXECUTE') AND $1::jsonb ->> p.proname IS DISTINCT FROM md5(p.prosrc)
  ORDER BY 1`;

/** 58: before UPDATE, DELETE or TRUNCATE, once a statement. O and A: switched on. */
const TRIGGERS = `
  SELECT t.name FROM unnest($1::text[]) AS t(name) WHERE to_regclass('public.' || t.name) IS NOT NULL AND NOT EXISTS (
    SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
    WHERE g.tgrelid = to_regclass('public.' || t.name) AND g.tgname = 'only_grows' AND g.tgenabled IN ('O', 'A') AND g.tgtype = 58
      AND g.tgqual IS NULL AND p.proname = 'refuse_audit_change' AND p.prosrc ~ '^\\s*BEGIN\\s+RAISE EXCEPTION ')
  ORDER BY 1`;

/** Compares what guards the rows with what the migrations made; the tables are this version's. */
export async function findGuardFaults(client: ClientBase): Promise<GuardFaults> {
  const { rows: tables } = await client.query<{ name: string; secured: boolean; policies: Policy[] }>(TABLES, [Object.keys(OF_TABLE)]);
  const { rows: functions } = await client.query<{ name: string }>(STRANGE_FUNCTIONS, [JSON.stringify(FUNCTIONS)]);
  const { rows: triggers } = await client.query<{ name: string }>(TRIGGERS, [["audit_entry", "audit_link"]]);
  const names = (rows: { name: string }[]) => rows.map(({ name }) => name);
  return {
    unprotectedTables: names(tables.filter(({ secured }) => !secured)),
    changedPolicies: names(
      tables.filter(({ name, policies }) => JSON.stringify(policies) !== JSON.stringify(OF_TABLE[name] ?? OF_BANK_AND_MODE)),
    ),
    strangeFunctions: names(functions),
    missingTriggers: names(triggers),
  };
}
