import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** A Chromium with a profile of its own that reaches this machine and nothing else. */
export interface Browser {
  /** Opens GraphiQL in a new tab, ready to be used. */
  openGraphiQL(url: string): Promise<Page>;
  /** The address of everything that any page asked for. */
  readonly requests: string[];
  /** What the pages' consoles said: errors, warnings, and what was thrown. */
  readonly complaints: string[];
  close(): Promise<void>;
}

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // No name leads anywhere: a page that needs the internet fails here.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

export async function openBrowser(executablePath: string, viewport: { width: number; height: number }): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "customer-gateway-chromium-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, viewport, args: ARGS });
  const requests: string[] = [];
  const complaints: string[] = [];
  context.on("request", (request) => requests.push(request.url()));
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(error.error().message));
  return {
    requests,
    complaints,
    openGraphiQL: (url) => openGraphiQL(context, url),
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

async function openGraphiQL(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/graphql`);
  await editorsReady(page);
  return page;
}

/** Waits until the four editors are there: query, variables, headers and response. */
export async function editorsReady(page: Page): Promise<void> {
  await page.locator(".monaco-editor").nth(3).waitFor({ state: "attached" });
}

/** The names of the open tabs. */
export function tabNames(page: Page): Promise<string[]> {
  return page.locator(".graphiql-tab-button").allTextContents();
}

/**
 * Opens the tab of that name by one click, and waits until it can be run: GraphiQL takes up a tab's operation by a
 * timer of 100 ms. One that is set later and for longer, in the same page, is due after it, however slow the machine.
 */
export async function openTab(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
  await page.locator(".graphiql-tab-active", { hasText: name }).waitFor();
  await page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))");
}

/** Presses the run button and waits for the answer; returns what the response pane then shows, parsed. `name`: the operation's. */
export async function pressRun(page: Page, name: string): Promise<any> {
  const answered = page.waitForResponse((response) => response.request().postDataJSON()?.operationName === name);
  await page.locator(".graphiql-execute-button").click();
  return shown(page, JSON.stringify(await (await answered).json()));
}

/** Waits until the response pane shows this answer; returns what it shows. */
async function shown(page: Page, answer: string): Promise<unknown> {
  for (;;) {
    const pane = parsed(await paneText(page, ".result-window"));
    if (JSON.stringify(pane) === answer) return pane;
    await page.waitForTimeout(50);
  }
}

/** The text of an editor, as far as it is in sight. */
export function paneText(page: Page, pane: string): Promise<string> {
  return page.locator(`${pane} .view-line`).evaluateAll((lines) =>
    lines
      .map((line) => ({ top: Number.parseFloat((line as any).style.top), text: line.textContent ?? "" }))
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text.replaceAll("\u00A0", " "))
      .join("\n"),
  );
}

/** An editor's JSON; null while it is not all there. Long lines are wrapped, with spaces in front. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replaceAll(/\n */g, ""));
  } catch {
    return null;
  }
}
