-- Mutations and refusals that failed: few entries of many, which a bank's report counts.
CREATE INDEX "audit_entry_failed" ON "audit_entry" ("bank_id", "mode", "operation", "at") WHERE outcome <> 'OK';
