-- Blacklistings that run out, for the job that looks for them every 20 seconds over all banks: they are few, and without this
-- it reads every customer. Prisma has no words for a partial index. It may be there already: docs/scale.md says how to make
-- it without a lock.
CREATE INDEX IF NOT EXISTS "customer_blacklist_expiry" ON "customer"("blacklist_expires_at") WHERE "blacklist_expires_at" IS NOT NULL;
