-- CreateEnum
CREATE TYPE "client_access" AS ENUM ('OPEN', 'TRUSTED');

-- CreateEnum
CREATE TYPE "document_state" AS ENUM ('ACTIVE', 'DEPRECATED', 'RETIRED');

-- AlterTable
ALTER TABLE "persisted_document" DROP CONSTRAINT "persisted_document_pkey",
ADD COLUMN     "cost" INTEGER,
ADD COLUMN     "deprecated_at" TIMESTAMPTZ(3),
ADD COLUMN     "last_used_at" TIMESTAMPTZ(3),
ADD COLUMN     "mode" "mode" NOT NULL DEFAULT 'SANDBOX',
ADD COLUMN     "points" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "state" "document_state" NOT NULL DEFAULT 'ACTIVE',
ADD COLUMN     "uses" BIGINT NOT NULL DEFAULT 0,
ADD CONSTRAINT "persisted_document_pkey" PRIMARY KEY ("client_id", "mode", "hash");

-- What was registered before ran in both modes.
ALTER TABLE "persisted_document" ALTER COLUMN "mode" DROP DEFAULT;
INSERT INTO "persisted_document" ("client_id", "mode", "hash", "name", "text", "created_at")
SELECT "client_id", 'LIVE', "hash", "name", "text", "created_at" FROM "persisted_document";

-- CreateTable
CREATE TABLE "client_settings" (
    "client_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "access" "client_access" NOT NULL DEFAULT 'OPEN',
    "cost_limit" INTEGER,

    CONSTRAINT "client_settings_pkey" PRIMARY KEY ("client_id","mode")
);

-- AddForeignKey
ALTER TABLE "client_settings" ADD CONSTRAINT "client_settings_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Documents and settings belong to one mode of a bank's clients. Requests publish documents, deprecate and retire them;
-- nobody changes a text or a hash.
ALTER TABLE "persisted_document" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "client_settings" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_clients_and_mode ON "persisted_document" TO customer_gateway_tenant
  USING (mode = nullif(current_setting('gateway.mode', true), '')::mode
    AND EXISTS (SELECT FROM "client" WHERE "client".id = client_id AND "client".tenant_id = current_setting('gateway.bank', true)));
CREATE POLICY own_clients_and_mode ON "client_settings" TO customer_gateway_tenant
  USING (mode = nullif(current_setting('gateway.mode', true), '')::mode
    AND EXISTS (SELECT FROM "client" WHERE "client".id = client_id AND "client".tenant_id = current_setting('gateway.bank', true)));
GRANT SELECT, INSERT, UPDATE ("state", "deprecated_at") ON "persisted_document" TO customer_gateway_tenant;
GRANT SELECT, INSERT, UPDATE ("access", "cost_limit") ON "client_settings" TO customer_gateway_tenant;
