-- CreateEnum
CREATE TYPE "webhook_event_type" AS ENUM ('CUSTOMER_CREATED', 'CUSTOMER_UPDATED', 'CUSTOMER_BLACKLISTED', 'CUSTOMER_UNBLACKLISTED', 'CUSTOMER_ERASED', 'BATCH_COMPLETED', 'TEST');

-- CreateEnum
CREATE TYPE "webhook_delivery_state" AS ENUM ('PENDING', 'DELIVERED', 'FAILED');

-- CreateEnum
CREATE TYPE "visibility" AS ENUM ('STANDARD', 'EXTENDED', 'SENSITIVE');

-- CreateTable
CREATE TABLE "webhook_endpoint" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "events" "webhook_event_type"[],
    "visibility" "visibility" NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "disabled_reason" TEXT,
    "secret" BYTEA NOT NULL,
    "old_secret" BYTEA,
    "old_secret_until" TIMESTAMPTZ(3),
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "rests_until" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_endpoint_pkey" PRIMARY KEY ("bank_id","mode","id")
);

-- CreateTable
CREATE TABLE "webhook_delivery" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "type" "webhook_event_type" NOT NULL,
    "subject_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "version" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "state" "webhook_delivery_state" NOT NULL DEFAULT 'PENDING',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "leased_until" TIMESTAMPTZ(3),
    "outcome" TEXT,
    "tried_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("bank_id","mode","endpoint_id","id")
);

-- CreateIndex
CREATE INDEX "webhook_endpoint_bank_id_mode_created_at_id_idx" ON "webhook_endpoint"("bank_id", "mode", "created_at", "id");

-- CreateIndex
CREATE INDEX "webhook_delivery_bank_id_mode_endpoint_id_created_at_id_idx" ON "webhook_delivery"("bank_id", "mode", "endpoint_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_delivery_bank_id_mode_endpoint_id_subject_id_sequen_key" ON "webhook_delivery"("bank_id", "mode", "endpoint_id", "subject_id", "sequence");

-- AddForeignKey
ALTER TABLE "webhook_endpoint" ADD CONSTRAINT "webhook_endpoint_bank_id_fkey" FOREIGN KEY ("bank_id") REFERENCES "tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_delivery" ADD CONSTRAINT "webhook_delivery_bank_id_mode_endpoint_id_fkey" FOREIGN KEY ("bank_id", "mode", "endpoint_id") REFERENCES "webhook_endpoint"("bank_id", "mode", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What is to be sent next: without what has been sent, which is most of it. Prisma has no words for a partial index.
CREATE INDEX "webhook_delivery_due" ON "webhook_delivery"("bank_id", "mode", "endpoint_id", "due_at") WHERE "state" = 'PENDING';

-- Requests make, change and end their bank's endpoints. Deliveries are written with the change that they tell of, and may be
-- sent again; what they tell of never changes.
ALTER TABLE "webhook_endpoint" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "webhook_delivery" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_bank_and_mode ON "webhook_endpoint" TO customer_gateway_tenant
  USING (bank_id = current_setting('gateway.bank', true) AND mode = nullif(current_setting('gateway.mode', true), '')::mode);
CREATE POLICY own_bank_and_mode ON "webhook_delivery" TO customer_gateway_tenant
  USING (bank_id = current_setting('gateway.bank', true) AND mode = nullif(current_setting('gateway.mode', true), '')::mode);
GRANT SELECT, INSERT, DELETE,
  UPDATE ("url", "events", "visibility", "enabled", "disabled_reason", "secret", "old_secret", "old_secret_until", "failures", "rests_until")
  ON "webhook_endpoint" TO customer_gateway_tenant;
GRANT SELECT, INSERT, UPDATE ("state", "attempts", "due_at") ON "webhook_delivery" TO customer_gateway_tenant;
