-- CreateEnum
CREATE TYPE "tenant_kind" AS ENUM ('BANK', 'PROVIDER', 'MERCHANT', 'OPERATOR');

-- CreateEnum
CREATE TYPE "mode" AS ENUM ('SANDBOX', 'LIVE');

-- CreateEnum
CREATE TYPE "audience" AS ENUM ('APP', 'INTERNAL', 'PARTNER');

-- CreateEnum
CREATE TYPE "gender" AS ENUM ('MALE', 'FEMALE', 'OTHER');

-- CreateEnum
CREATE TYPE "blacklist_reason" AS ENUM ('FRAUD', 'CHARGEBACK', 'COMPLIANCE', 'REQUEST', 'OTHER');

-- CreateEnum
CREATE TYPE "customer_event_type" AS ENUM ('CREATED', 'UPDATED', 'BLACKLISTED', 'UNBLACKLISTED', 'BLACKLIST_EXPIRED');

-- CreateEnum
CREATE TYPE "batch_status" AS ENUM ('PROCESSING', 'COMPLETED', 'FAILED');

-- CreateEnum
CREATE TYPE "batch_error_code" AS ENUM ('DUPLICATE_IN_BATCH', 'INVALID_DATA', 'EXISTING_CUSTOMER', 'VALIDATION_ERROR');

-- CreateTable
CREATE TABLE "tenant" (
    "id" TEXT NOT NULL,
    "kind" "tenant_kind" NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "client" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "client_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "audience" "audience" NOT NULL,
    "scopes" TEXT[],
    "client_id" UUID,
    "secret_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "persisted_document" (
    "client_id" UUID NOT NULL,
    "hash" CHAR(64) NOT NULL,
    "name" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "persisted_document_pkey" PRIMARY KEY ("client_id","hash")
);

-- CreateTable
CREATE TABLE "customer" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "phrase" TEXT NOT NULL,
    "account_name" TEXT NOT NULL,
    "account_name_key" TEXT NOT NULL,
    "search_key" TEXT NOT NULL,
    "gender" "gender",
    "display_picture" TEXT,
    "country" CHAR(2) NOT NULL,
    "firstname" TEXT NOT NULL,
    "lastname" TEXT NOT NULL,
    "middlename" TEXT,
    "email" TEXT NOT NULL,
    "phone" TEXT,
    "dial_code" TEXT,
    "address" TEXT,
    "state" TEXT,
    "client_ref" TEXT,
    "reference" TEXT,
    "account_number" BYTEA,
    "blacklisted" BOOLEAN NOT NULL DEFAULT false,
    "blacklist_expires_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "customer_pkey" PRIMARY KEY ("bank_id","mode","id")
);

-- CreateTable
CREATE TABLE "blacklist_entry" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "customer_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "reason" "blacklist_reason" NOT NULL,
    "note" BYTEA,
    "actor" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "blacklist_entry_pkey" PRIMARY KEY ("bank_id","mode","customer_id","version")
);

-- CreateTable
CREATE TABLE "blacklisted_identity" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "hash" BYTEA NOT NULL,
    "customer_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "blacklisted_identity_pkey" PRIMARY KEY ("bank_id","mode","hash","customer_id")
);

-- CreateTable
CREATE TABLE "customer_event" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "customer_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "type" "customer_event_type" NOT NULL,
    "actor" TEXT NOT NULL,
    "changed" TEXT[],
    "reason" "blacklist_reason",
    "expires_at" TIMESTAMPTZ(3),
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "customer_event_pkey" PRIMARY KEY ("bank_id","mode","customer_id","version")
);

-- CreateTable
CREATE TABLE "batch" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "status" "batch_status" NOT NULL,
    "dry_run" BOOLEAN NOT NULL,
    "total" INTEGER NOT NULL,
    "successful" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL,
    "duplicates" INTEGER NOT NULL,
    "invalid_data" INTEGER NOT NULL,
    "pending" INTEGER NOT NULL,
    "rolled_back" INTEGER NOT NULL,
    "created_ids" UUID[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "batch_pkey" PRIMARY KEY ("bank_id","mode","id")
);

-- CreateTable
CREATE TABLE "batch_failure" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "batch_id" UUID NOT NULL,
    "index" INTEGER NOT NULL,
    "code" "batch_error_code" NOT NULL,
    "client_ref" TEXT,
    "matched_on" TEXT,
    "first_index" INTEGER,
    "existing_id" UUID,
    "issues" JSONB,

    CONSTRAINT "batch_failure_pkey" PRIMARY KEY ("bank_id","mode","batch_id","index")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "mutation" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "input_hash" BYTEA NOT NULL,
    "result_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("bank_id","mode","mutation","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "client_tenant_id_name_key" ON "client"("tenant_id", "name");

-- CreateIndex
CREATE INDEX "api_key_tenant_id_mode_idx" ON "api_key"("tenant_id", "mode");

-- CreateIndex
CREATE UNIQUE INDEX "customer_phrase_key" ON "customer"("phrase");

-- CreateIndex
CREATE INDEX "customer_bank_id_mode_created_at_id_idx" ON "customer"("bank_id", "mode", "created_at", "id");

-- CreateIndex
CREATE INDEX "customer_bank_id_mode_updated_at_id_idx" ON "customer"("bank_id", "mode", "updated_at", "id");

-- CreateIndex
CREATE INDEX "customer_bank_id_mode_account_name_key_id_idx" ON "customer"("bank_id", "mode", "account_name_key", "id");

-- CreateIndex
CREATE UNIQUE INDEX "customer_bank_id_mode_email_key" ON "customer"("bank_id", "mode", "email");

-- CreateIndex
CREATE UNIQUE INDEX "customer_bank_id_mode_client_ref_key" ON "customer"("bank_id", "mode", "client_ref");

-- CreateIndex
CREATE UNIQUE INDEX "customer_bank_id_mode_reference_key" ON "customer"("bank_id", "mode", "reference");

-- CreateIndex
CREATE INDEX "blacklisted_identity_bank_id_mode_customer_id_idx" ON "blacklisted_identity"("bank_id", "mode", "customer_id");

-- CreateIndex
CREATE INDEX "batch_bank_id_mode_created_at_id_idx" ON "batch"("bank_id", "mode", "created_at", "id");

-- CreateIndex
CREATE INDEX "idempotency_key_created_at_idx" ON "idempotency_key"("created_at");

-- AddForeignKey
ALTER TABLE "client" ADD CONSTRAINT "client_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "persisted_document" ADD CONSTRAINT "persisted_document_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "customer" ADD CONSTRAINT "customer_bank_id_fkey" FOREIGN KEY ("bank_id") REFERENCES "tenant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "blacklist_entry" ADD CONSTRAINT "blacklist_entry_bank_id_mode_customer_id_fkey" FOREIGN KEY ("bank_id", "mode", "customer_id") REFERENCES "customer"("bank_id", "mode", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "customer_event" ADD CONSTRAINT "customer_event_bank_id_mode_customer_id_fkey" FOREIGN KEY ("bank_id", "mode", "customer_id") REFERENCES "customer"("bank_id", "mode", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "batch_failure" ADD CONSTRAINT "batch_failure_bank_id_mode_batch_id_fkey" FOREIGN KEY ("bank_id", "mode", "batch_id") REFERENCES "batch"("bank_id", "mode", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
