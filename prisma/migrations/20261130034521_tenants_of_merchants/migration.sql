-- AlterTable
ALTER TABLE "tenant" ADD COLUMN     "provider_id" TEXT;

-- A merchant is somebody's, and nobody else is.
ALTER TABLE "tenant" ADD CONSTRAINT "tenant_provider_of_merchant" CHECK ((kind = 'MERCHANT') = (provider_id IS NOT NULL));

-- The operator makes providers as it makes banks. Merchants are made by whose they are.
DROP POLICY own_tenant ON "tenant";
CREATE POLICY own_tenant ON "tenant" TO customer_gateway_tenant
  USING (id = current_setting('gateway.bank', true) OR current_setting('gateway.operator', true) = 'on')
  WITH CHECK (id = current_setting('gateway.bank', true) OR (current_setting('gateway.operator', true) = 'on' AND kind IN ('BANK', 'PROVIDER')));
CREATE POLICY own_merchants ON "tenant" TO customer_gateway_tenant
  USING (provider_id = current_setting('gateway.bank', true));

-- Whose merchant it is makes and ends its keys, each in its own mode; the merchant itself reaches nobody else's.
CREATE POLICY own_merchants ON "client" TO customer_gateway_tenant
  USING (EXISTS (SELECT FROM "tenant" WHERE "tenant".id = tenant_id AND "tenant".provider_id = current_setting('gateway.bank', true)));
CREATE POLICY own_merchants ON "api_key" TO customer_gateway_tenant
  USING (mode = nullif(current_setting('gateway.mode', true), '')::mode
    AND EXISTS (SELECT FROM "tenant" WHERE "tenant".id = tenant_id AND "tenant".provider_id = current_setting('gateway.bank', true)));
