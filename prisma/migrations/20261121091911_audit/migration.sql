-- CreateEnum
CREATE TYPE "audit_action" AS ENUM ('READ', 'WRITE', 'REFUSAL', 'START');

-- CreateTable
CREATE TABLE "audit_entry" (
    "id" UUID NOT NULL,
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT,
    "audience" "audience",
    "request_id" TEXT,
    "action" "audit_action" NOT NULL,
    "operation" TEXT,
    "outcome" TEXT NOT NULL,
    "document_hash" CHAR(64),
    "customers" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,
    "fields" TEXT[],
    "subjects" TEXT[],
    "mac" BYTEA NOT NULL,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_link" (
    "chain" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "entry_id" UUID NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "audit_link_pkey" PRIMARY KEY ("chain","seq")
);

-- CreateIndex
CREATE INDEX "audit_entry_bank_id_mode_at_id_idx" ON "audit_entry"("bank_id", "mode", "at", "id");

-- CreateIndex
CREATE INDEX "audit_entry_at_idx" ON "audit_entry"("at");

-- CreateIndex
CREATE UNIQUE INDEX "audit_link_entry_id_key" ON "audit_link"("entry_id");

-- A request adds and reads entries of its own bank and mode; the order of all of them is the gateway's own matter.
ALTER TABLE "audit_entry" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_bank_and_mode ON "audit_entry" TO customer_gateway_tenant
  USING (bank_id = current_setting('gateway.bank', true) AND mode = nullif(current_setting('gateway.mode', true), '')::mode);
GRANT SELECT, INSERT ON "audit_entry" TO customer_gateway_tenant;
ALTER TABLE "audit_link" ENABLE ROW LEVEL SECURITY;

-- What stands in the audit stays, for the owner too: who takes the triggers away to change a row is found out by the chain.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit only grows: % on % is refused', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_entry"
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_link"
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
