-- CreateTable
CREATE TABLE "batch_payload" (
    "bank_id" TEXT NOT NULL,
    "mode" "mode" NOT NULL,
    "batch_id" UUID NOT NULL,
    "sealed" BYTEA NOT NULL,

    CONSTRAINT "batch_payload_pkey" PRIMARY KEY ("bank_id","mode","batch_id")
);

-- AddForeignKey
ALTER TABLE "batch_payload" ADD CONSTRAINT "batch_payload_bank_id_mode_batch_id_fkey" FOREIGN KEY ("bank_id", "mode", "batch_id") REFERENCES "batch"("bank_id", "mode", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Ciphertext does not compress.
ALTER TABLE "batch_payload" ALTER COLUMN "sealed" SET STORAGE EXTERNAL;

ALTER TABLE "batch_payload" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_bank_and_mode ON "batch_payload" TO customer_gateway_tenant
  USING (bank_id = current_setting('gateway.bank', true) AND mode = nullif(current_setting('gateway.mode', true), '')::mode);
GRANT SELECT, INSERT, DELETE ON "batch_payload" TO customer_gateway_tenant;

-- What a worker is still to process: few rows of many.
CREATE INDEX "batch_processing" ON "batch" ("created_at") WHERE status = 'PROCESSING';
