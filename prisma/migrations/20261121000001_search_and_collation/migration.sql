-- What Prisma's schema language cannot say. scripts/db-migration.ts knows the index by its name.

-- Trigram search, and plain columns beside it in the same GIN index. Both extensions are trusted: whoever may
-- create objects in the database may create them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- ACCOUNT_NAME sorts by bytes, so that the order and the pages of a cursor are the same on every server,
-- whatever its locale or version of ICU.
ALTER TABLE "customer" ALTER COLUMN "account_name_key" TYPE TEXT COLLATE "C";

-- `search`: names that contain a text, within one bank and mode. The two columns in front keep a search
-- from reading other banks' names only to discard them.
CREATE INDEX "customer_search" ON "customer" USING GIN ("bank_id", "mode", "search_key" gin_trgm_ops);
