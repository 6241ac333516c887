-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "demo" BOOLEAN NOT NULL DEFAULT false;

-- What earlier versions made: the demo bank's keys, and the operator's that was made with them.
UPDATE "api_key" SET "demo" = true WHERE "tenant_id" = 'demo-bank' OR ("tenant_id" = 'operator' AND EXISTS (
  SELECT FROM "api_key" d WHERE d."tenant_id" = 'demo-bank' AND abs(extract(epoch FROM d."created_at" - "api_key"."created_at")) < 5));
