-- CreateEnum
CREATE TYPE "erasure_reason" AS ENUM ('REQUEST', 'CONSENT_WITHDRAWN', 'RETENTION', 'OTHER');

-- AlterEnum
ALTER TYPE "customer_event_type" ADD VALUE 'ERASED';

-- History holds no values and outlives its customer.
ALTER TABLE "customer_event" DROP CONSTRAINT "customer_event_bank_id_mode_customer_id_fkey";

-- CreateTable
CREATE TABLE "erased_customer" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "phrase" TEXT NOT NULL,
    "reason" "erasure_reason" NOT NULL,
    "actor" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "erased_customer_pkey" PRIMARY KEY ("bank_id","mode","id")
);

-- What batches tell of a customer, for its erasure. The first index may be there already: docs/scale.md says how to make it without a lock.
CREATE INDEX IF NOT EXISTS "batch_failure_bank_id_mode_existing_id_idx" ON "batch_failure"("bank_id", "mode", "existing_id");

ALTER TABLE "batch_failure" ADD COLUMN "client_ref_key" TEXT;
UPDATE "batch_failure" SET "client_ref_key" = normalize(btrim("client_ref"), NFC) WHERE "client_ref" IS NOT NULL;
CREATE INDEX "batch_failure_bank_id_mode_client_ref_key_idx" ON "batch_failure"("bank_id", "mode", "client_ref_key");

-- Hashes that have run out, for the job that removes them.
CREATE INDEX IF NOT EXISTS "blacklisted_identity_expires_at_idx" ON "blacklisted_identity"("expires_at");

-- Requests leave what is to stay of an erased customer; nobody changes it.
ALTER TABLE "erased_customer" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_bank_and_mode ON "erased_customer" TO customer_gateway_tenant
  USING (bank_id = current_setting('gateway.bank', true) AND mode = nullif(current_setting('gateway.mode', true), '')::mode);
GRANT SELECT, INSERT ON "erased_customer" TO customer_gateway_tenant;
