-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "replaced_by" TEXT;

-- What requests do with keys and tenants is all that their role may: it makes them, and it ends and replaces keys. The
-- old grants let it turn a bank into an operator and widen the scopes of its own keys.
REVOKE UPDATE ON "tenant", "client", "api_key" FROM customer_gateway_tenant;
GRANT UPDATE ("expires_at", "revoked_at", "replaced_by") ON "api_key" TO customer_gateway_tenant;

-- Keys are kept apart by mode too. LIVE reaches SANDBOX: a LIVE key makes SANDBOX keys. The operator, whose requests
-- run as LIVE, makes the first key of any bank and looks whether there is one; it changes none but its own.
DROP POLICY own_tenant ON "api_key";
CREATE POLICY own_bank_and_mode ON "api_key" TO customer_gateway_tenant
  USING (tenant_id = current_setting('gateway.bank', true)
    AND (mode = nullif(current_setting('gateway.mode', true), '')::mode OR current_setting('gateway.mode', true) = 'LIVE'));
CREATE POLICY operator_looks ON "api_key" FOR SELECT TO customer_gateway_tenant USING (current_setting('gateway.operator', true) = 'on');
CREATE POLICY operator_makes ON "api_key" FOR INSERT TO customer_gateway_tenant WITH CHECK (current_setting('gateway.operator', true) = 'on');

-- The operator makes banks, not other operators.
DROP POLICY own_tenant ON "tenant";
CREATE POLICY own_tenant ON "tenant" TO customer_gateway_tenant
  USING (id = current_setting('gateway.bank', true) OR current_setting('gateway.operator', true) = 'on')
  WITH CHECK (id = current_setting('gateway.bank', true) OR (current_setting('gateway.operator', true) = 'on' AND kind = 'BANK'));
