-- CreateEnum
CREATE TYPE "customer_lifecycle" AS ENUM ('REGISTERED', 'ONBOARDED', 'DEVICE_LINKED', 'PAYMENTS_ENABLED');

-- CreateEnum
CREATE TYPE "trust_level" AS ENUM ('BASIC', 'ENHANCED', 'PREMIUM');

-- CreateEnum
CREATE TYPE "merchant_event_type" AS ENUM ('CREATED', 'TRUST_LEVEL_CHANGED');

-- AlterEnum
ALTER TYPE "customer_event_type" ADD VALUE 'DEVICE_LINKED';
ALTER TYPE "customer_event_type" ADD VALUE 'DEVICE_UNLINKED';
ALTER TYPE "customer_event_type" ADD VALUE 'CONSENT_GIVEN';
ALTER TYPE "customer_event_type" ADD VALUE 'CONSENT_WITHDRAWN';

-- AlterTable
ALTER TABLE "customer" ADD COLUMN "device_count" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "customer_event" ADD COLUMN "lifecycle" "customer_lifecycle";

-- CreateTable
CREATE TABLE "device" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "hash" BYTEA NOT NULL,
    "device_id" BYTEA NOT NULL,
    "actor" TEXT NOT NULL,
    "linked_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "device_pkey" PRIMARY KEY ("bank_id","mode","id")
);

-- CreateTable
CREATE TABLE "discovery" (
    "mode" "mode" NOT NULL,
    "hash" BYTEA NOT NULL,
    "bank_id" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "phrase" TEXT NOT NULL,
    "consent_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "discovery_pkey" PRIMARY KEY ("mode","hash","bank_id","customer_id")
);

-- CreateTable
CREATE TABLE "merchant" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "country" CHAR(2) NOT NULL,
    "phone" TEXT,
    "address" TEXT,
    "state" TEXT,
    "website" TEXT,
    "client_ref" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "trust_level" "trust_level" NOT NULL DEFAULT 'BASIC',
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "merchant_pkey" PRIMARY KEY ("bank_id","mode","id")
);

-- CreateTable
CREATE TABLE "merchant_event" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "merchant_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "type" "merchant_event_type" NOT NULL,
    "actor" TEXT NOT NULL,
    "trust_level" "trust_level" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "merchant_event_pkey" PRIMARY KEY ("bank_id","mode","merchant_id","version")
);

-- CreateIndex
CREATE INDEX "device_bank_id_mode_customer_id_linked_at_id_idx" ON "device"("bank_id", "mode", "customer_id", "linked_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "device_bank_id_mode_hash_key" ON "device"("bank_id", "mode", "hash");

-- CreateIndex
CREATE INDEX "discovery_bank_id_mode_customer_id_idx" ON "discovery"("bank_id", "mode", "customer_id");

-- CreateIndex
CREATE INDEX "merchant_bank_id_mode_created_at_id_idx" ON "merchant"("bank_id", "mode", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "merchant_bank_id_mode_email_key" ON "merchant"("bank_id", "mode", "email");

-- CreateIndex
CREATE UNIQUE INDEX "merchant_bank_id_mode_client_ref_key" ON "merchant"("bank_id", "mode", "client_ref");

-- CreateIndex
CREATE UNIQUE INDEX "merchant_bank_id_mode_reference_key" ON "merchant"("bank_id", "mode", "reference");

-- AddForeignKey
ALTER TABLE "device" ADD CONSTRAINT "device_bank_id_mode_customer_id_fkey" FOREIGN KEY ("bank_id", "mode", "customer_id") REFERENCES "customer"("bank_id", "mode", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "merchant_event" ADD CONSTRAINT "merchant_event_bank_id_mode_merchant_id_fkey" FOREIGN KEY ("bank_id", "mode", "merchant_id") REFERENCES "merchant"("bank_id", "mode", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Rows of one bank and mode, as everywhere.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['device', 'discovery', 'merchant', 'merchant_event'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_bank_and_mode ON %I TO customer_gateway_tenant USING (bank_id = current_setting(''gateway.bank'', true) AND mode = nullif(current_setting(''gateway.mode'', true), '''')::mode)',
      name
    );
  END LOOP;
END $$;
-- The one line between banks: who asks sees hashes, banks and phrases of those who consented, in the own mode.
CREATE POLICY found_within_mode ON "discovery" FOR SELECT TO customer_gateway_tenant
  USING (mode = nullif(current_setting('gateway.mode', true), '')::mode);
GRANT SELECT, INSERT, DELETE ON "device", "discovery" TO customer_gateway_tenant;
GRANT SELECT, INSERT, UPDATE ON "merchant" TO customer_gateway_tenant;
GRANT SELECT, INSERT ON "merchant_event" TO customer_gateway_tenant;
