-- CreateIndex
CREATE INDEX "erased_customer_bank_id_mode_at_id_idx" ON "erased_customer"("bank_id", "mode", "at", "id");
