// Makes docs/graphiql.png, the README's picture: `node scripts/graphiql-picture.ts`. Needs a Chromium.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config.ts";
import { startGateway } from "../src/start.ts";
import { openBrowser, openTab, pressRun } from "../test/support/browser.ts";
import { CHROMIUM_PATH } from "../test/support/environment.ts";

if (!CHROMIUM_PATH) throw new Error("There is no Chromium: set CHROMIUM_PATH.");
const dataDir = await mkdtemp(join(tmpdir(), "customer-gateway-picture-"));
const gateway = await startGateway(readConfig({ DATA_DIR: dataDir, PORT: "0" }));
// High at first: an answer is taken for shown when all of it is in sight.
const browser = await openBrowser(CHROMIUM_PATH, { width: 1440, height: 2400 });
try {
  const page = await browser.openGraphiQL(gateway.url);
  await openTab(page, "OnboardBatch");
  await pressRun(page, "OnboardBatch");
  await page.setViewportSize({ width: 1440, height: 1000 });
  // Off the button, which would look pressed; and until the editors have taken their new size and their bars are gone.
  await page.mouse.move(900, 5);
  await page.waitForTimeout(3000);
  await page.screenshot({ path: join(import.meta.dirname, "../docs/graphiql.png") });
} finally {
  await browser.close();
  await gateway.stop();
  await rm(dataDir, { recursive: true, force: true });
}
