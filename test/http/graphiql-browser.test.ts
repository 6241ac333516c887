import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueKey } from "../../src/access/issue-key.ts";
import type { Config } from "../../src/config.ts";
import { type RunningGateway, startGateway } from "../../src/start.ts";
import { type Browser, editorsReady, openBrowser, openTab, paneText, parsed, pressRun, tabNames } from "../support/browser.ts";
import { testConfig } from "../support/config.ts";
import { CHROMIUM_PATH } from "../support/environment.ts";
import { freshDatabase } from "../support/gateway.ts";

const TABS = ["FindCustomer", "PageThrough", "OnboardBatch", "Blacklist"];
const SCOPES_OF_STAFF = ["customers:read:sensitive", "customers:write", "customers:blacklist", "batches:write"] as const;
const QUERY = ".graphiql-query-editor";
const HEADERS = ".graphiql-editor-tool .graphiql-editor:not(.hidden)";

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** A gateway that listens, as `npm start` has it, on a demo bank. */
async function listen(changes: Partial<Config> = {}): Promise<RunningGateway> {
  const { config, remove } = await freshDatabase();
  closers.push(remove);
  const gateway = await startGateway({ ...config, ...changes });
  closers.push(() => gateway.stop());
  return gateway;
}

/** A browser with the page open: high enough that an editor shows all of its text. */
async function browse(url: string): Promise<{ browser: Browser; page: Page }> {
  const browser = await openBrowser(CHROMIUM_PATH!, { width: 1440, height: 2400 });
  closers.push(() => browser.close());
  return { browser, page: await browser.openGraphiQL(url) };
}

/** Opens a tab, presses run, and returns the response pane's data; errors fail. */
async function run(page: Page, name: string) {
  await openTab(page, name);
  const { data, errors } = await pressRun(page, name);
  expect(errors).toBeUndefined();
  return data;
}

const keptByBrowser = (page: Page) => page.evaluate<string>("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)");

// The demo bank is the embedded database's.
describe.runIf(CHROMIUM_PATH && process.env["TEST_ON"] !== "postgres")("GraphiQL in Chromium", () => {
  describe("on a demo bank", () => {
    let gateway: RunningGateway;
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      gateway = await listen();
      ({ browser, page } = await browse(gateway.url));
    });

    test("opens with four named tabs", async () => {
      expect(await tabNames(page)).toEqual(TABS);
      expect(await paneText(page, QUERY)).toMatch(/^# One customer/);
    });

    test("opens each tab by one click", async () => {
      for (const name of ["PageThrough", "OnboardBatch", "Blacklist", "FindCustomer"]) {
        await page.getByRole("button", { name, exact: true }).click();
        await expect.poll(() => page.locator(".graphiql-tab-active").textContent()).toContain(name);
      }
    });

    test("finds a customer", async () => {
      const { customer } = await run(page, "FindCustomer");
      expect(customer).toMatchObject({ email: "customer.0001@example.com", blacklisted: false, redactedFields: [] });
      expect(customer.accountNumber).toMatch(/^\d{10}$/);
      expect(customer.history.nodes.map(({ type }: any) => type)).toEqual(["CREATED"]);
    });

    test("pages through a list", async () => {
      const { customers } = await run(page, "PageThrough");
      expect(customers.nodes).toHaveLength(5);
      for (const { country } of customers.nodes) expect(["NG", "GH"]).toContain(country);
      expect(customers).toMatchObject({ totalCount: 76, totalCountPrecision: "EXACT", pageInfo: { hasNextPage: true } });
      expect(customers.pageInfo.endCursor).toBeTruthy();
    });

    test("onboards a batch with one failure of each kind, and then once more", async () => {
      const codes = ["DUPLICATE_IN_BATCH", "INVALID_DATA", "VALIDATION_ERROR", "EXISTING_CUSTOMER"];
      const first = (await run(page, "OnboardBatch")).createCustomersBatch;
      expect(first.summary).toEqual({ total: 5, successful: 1, failed: 4, duplicates: 2, invalidData: 2 });
      expect(first.failures.map(({ index, code }: any) => [index, code])).toEqual(codes.map((code, index) => [index + 1, code]));

      const second = (await run(page, "OnboardBatch")).createCustomersBatch;
      expect(second.summary).toEqual({ total: 5, successful: 0, failed: 5, duplicates: 3, invalidData: 2 });
      expect(second.failures.map(({ code }: any) => code)).toEqual(["EXISTING_CUSTOMER", ...codes]);
      expect(second.failures[0].matchedOn).toBe("EMAIL");
    });

    test("blacklists a customer, and says so once in the history", async () => {
      const types = ["BLACKLISTED", "CREATED"];
      for (const _press of ["first", "second"]) {
        const { setBlacklist } = await run(page, "Blacklist");
        expect(setBlacklist).toMatchObject({ blacklisted: true, blacklist: { reason: "CHARGEBACK" } });
        expect(setBlacklist.history.nodes.map(({ type }: any) => type)).toEqual(types);
      }
    });

    test("shows the schema's own manual", async () => {
      await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
      const docs = page.locator(".graphiql-doc-explorer");
      await docs.getByRole("link", { name: "Query", exact: true }).click();
      await docs.getByRole("link", { name: "customers", exact: true }).click();
      expect(await docs.textContent()).toContain("Pages are cut by keyset");
      await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
    });

    test("what is typed goes neither into the address nor, with the key, into the browser's storage", async () => {
      await openTab(page, "FindCustomer");
      await page.locator(`${QUERY} .view-line`).first().click();
      await page.keyboard.insertText("# someone@example.com ");
      // Twice: the query itself, and among the tabs.
      await expect.poll(async () => (await keptByBrowser(page)).match(/someone@example/g)?.length).toBe(2);
      expect(page.url()).toBe(`${gateway.url}/graphql`);
      expect(await keptByBrowser(page)).not.toContain(gateway.app.demo!.keys.internal);
    });

    test("is the same after a reload, and runs", async () => {
      await page.reload();
      await editorsReady(page);
      expect(await tabNames(page)).toEqual(TABS);
      expect(await paneText(page, QUERY)).toMatch(/someone@example\.com/);
      expect((await run(page, "FindCustomer")).customer.email).toBe("customer.0001@example.com");
      expect((await run(page, "PageThrough")).customers.nodes).toHaveLength(5);
    });

    test("asked nobody but the gateway, and had nothing to complain of", () => {
      const origins = new Set(
        browser.requests.map((url) => new URL(url)).map(({ protocol, origin }) => (protocol === "data:" ? protocol : origin)),
      );
      origins.delete("data:");
      expect([...origins]).toEqual([gateway.url]);
      expect(browser.requests.some((url) => url === `${gateway.url}/graphql`)).toBe(true);
      expect(browser.complaints).toEqual([]);
    });
  });

  test("a gateway that was started over opens with its own key and ids", async () => {
    const before = await listen();
    const { browser, page } = await browse(before.url);
    await run(page, "Blacklist");
    await expect.poll(() => keptByBrowser(page)).toContain("setBlacklist");
    await page.close();
    await before.stop();

    const dataDir = await mkdtemp(join(tmpdir(), "customer-gateway-test-"));
    closers.push(() => rm(dataDir, { recursive: true, force: true }));
    const after = await startGateway(testConfig({ dataDir, port: Number(new URL(before.url).port) }));
    closers.push(() => after.stop());
    expect(after.url).toBe(before.url);
    expect(after.app.demo!.keys.internal).not.toBe(before.app.demo!.keys.internal);

    const again = await browser.openGraphiQL(after.url);
    expect(await tabNames(again)).toEqual(TABS);
    expect((await run(again, "Blacklist")).setBlacklist).toMatchObject({ blacklisted: true });
    expect((await run(again, "OnboardBatch")).createCustomersBatch.summary).toMatchObject({ successful: 1, failed: 4 });
    // Two starts, one of which makes a bank: more than other tests do.
  }, 120_000);

  test("in production it takes a key that is typed in, and keeps it nowhere", async () => {
    const gateway = await listen({ production: true });
    const { browser, page } = await browse(gateway.url);
    expect(await tabNames(page)).toEqual(TABS);
    expect(await paneText(page, QUERY)).toMatch(/^# First, below: under Headers, put your key/);
    await openTab(page, "PageThrough");
    await page.getByRole("button", { name: "Headers" }).click();
    await expect.poll(async () => parsed(await paneText(page, HEADERS))).toEqual({ authorization: "Bearer YOUR_KEY" });

    // The demo's own keys are none there.
    const { tenantId: id } = await gateway.app.services.db.apiKey.findFirstOrThrow({ where: { audience: "APP" } });
    const tenant = { id, kind: "BANK", name: id } as const;
    const { key } = await issueKey(gateway.app.services.db, { tenant, mode: "SANDBOX", audience: "INTERNAL", scopes: SCOPES_OF_STAFF });
    await page.locator(`${HEADERS} .view-line`).first().click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText(JSON.stringify({ authorization: `Bearer ${key}` }));
    // The editor has added what closes the braces and the quotes.
    await page.keyboard.press("Control+Shift+End");
    await page.keyboard.press("Delete");
    expect((await pressRun(page, "PageThrough")).data.customers.nodes).toHaveLength(5);

    await openTab(page, "Blacklist");
    await expect.poll(() => keptByBrowser(page)).toContain('\\"activeTabIndex\\":3');
    expect(await keptByBrowser(page)).not.toContain(key);
    // Without a key the schema is refused, which Chromium tells; nothing else is wrong.
    expect(browser.complaints.filter((text) => !text.includes("a status of 401"))).toEqual([]);
  });
});
