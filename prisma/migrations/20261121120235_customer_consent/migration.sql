-- AlterTable
ALTER TABLE "customer" ADD COLUMN     "consent_at" TIMESTAMPTZ(3),
ADD COLUMN     "consent_source" TEXT,
ADD COLUMN     "consent_text_version" TEXT;

-- All three or none.
ALTER TABLE "customer" ADD CONSTRAINT "customer_consent_whole"
  CHECK (num_nulls("consent_source", "consent_at", "consent_text_version") IN (0, 3));
