-- Row-level security: a second line behind the condition that every query carries. Requests run as a role that
-- owns nothing, within a transaction that names one bank and mode; a query that forgot its condition then finds
-- nothing of anyone else's. The owner of the tables (migrations, jobs, authentication) is not bound by it.

-- Roles belong to the whole server: another database of it may have made this one already.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'customer_gateway_tenant') THEN
    CREATE ROLE customer_gateway_tenant NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'customer_gateway_tenant', 'MEMBER') THEN
    GRANT customer_gateway_tenant TO CURRENT_USER;
  END IF;
END $$;

GRANT USAGE ON SCHEMA public TO customer_gateway_tenant;

-- What belongs to one bank and mode. The mode is compared as the enum that it is, so that the policy itself can
-- enter an index: a query's own `mode = …` may not, since enum_eq is not leakproof.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['customer', 'blacklist_entry', 'blacklisted_identity', 'customer_event', 'batch', 'batch_failure', 'idempotency_key'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_bank_and_mode ON %I TO customer_gateway_tenant USING (bank_id = current_setting(''gateway.bank'', true) AND mode = nullif(current_setting(''gateway.mode'', true), '''')::mode)',
      name
    );
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO customer_gateway_tenant', name);
  END LOOP;
END $$;

-- History only grows.
REVOKE UPDATE, DELETE ON customer_event FROM customer_gateway_tenant;

-- Keys and clients belong to one tenant. The operator, who sees no customer, makes banks and their first keys.
DO $$
DECLARE
  rule record;
BEGIN
  FOR rule IN SELECT * FROM (VALUES ('tenant', 'id'), ('client', 'tenant_id'), ('api_key', 'tenant_id')) AS t(name, tenant) LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', rule.name);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I TO customer_gateway_tenant USING (%I = current_setting(''gateway.bank'', true) OR current_setting(''gateway.operator'', true) = ''on'')',
      rule.name, rule.tenant
    );
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO customer_gateway_tenant', rule.name);
  END LOOP;
END $$;
