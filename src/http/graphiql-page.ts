import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { parseApiKey } from "../access/api-key.ts";
import { browserStorage } from "./graphiql-storage.ts";
import { type DemoValues, graphiqlTabs } from "./graphiql-tabs.ts";

/** The page, ready to send. */
export interface GraphiQLPage {
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly headers: Record<string, string>;
}

/** Code in the place of an option: GraphiQL's options are printed as JSON, which holds no functions. */
const CODE = { storage: "%STORAGE%", onEditQuery: "%ON_EDIT_QUERY%" };

/**
 * GraphiQL opens in the belief that its tabs were dragged to the right, shows it at the first click on one, and so
 * moves it from under the pointer: the click is lost. Here tabs stay in place. (Dragging still reorders them, but
 * they do not follow the pointer.)
 */
const STYLE = ".graphiql-tab { transform: none !important; }";

/** Makes the page, with a demo's values filled in or, for null, with placeholders. Takes about 0.3 s, most of it in another thread. */
export async function renderPage(demo: DemoValues | null): Promise<GraphiQLPage> {
  // Imported here: it is 9 MB, which a start need not wait for.
  const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
  const headers = JSON.stringify({ authorization: `Bearer ${demo?.key ?? "YOUR_KEY"}` }, null, 2);
  const tabs = graphiqlTabs(demo);
  const storage = browserStorage({ owner: (demo && parseApiKey(demo.key)?.id) ?? "own", firstVariables: tabs[0]!.variables });
  const options = {
    title: "Customer Gateway",
    headers,
    defaultTabs: tabs.map((tab) => ({ ...tab, headers })),
    // A key is never written to the browser's disk: a tab that is opened again takes the page's headers.
    shouldPersistHeaders: false,
    ...CODE,
  };
  const html = renderGraphiQL(options)
    .replace("</style>", `${STYLE}</style>`)
    .replace(JSON.stringify(CODE.storage), () => storage)
    // By itself the page would write each query into the address, and so personal values into the browser's history.
    .replace(JSON.stringify(CODE.onEditQuery), "() => {}");
  const gzipped = new Uint8Array(await promisify(gzip)(html));
  return {
    gzipped,
    etag: `"${sha256(html, "base64url")}"`,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "private, no-cache",
      "content-security-policy": policy(html),
    },
  };
}

/** Only the page's own script runs, known by its hash; nothing is loaded from or sent to anywhere but the gateway. */
function policy(html: string): string {
  const script = html.slice(html.indexOf("<script>") + "<script>".length, html.lastIndexOf("</script>"));
  return [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script, "base64")}'`,
    // The editors' workers are made from texts in the page; their styles are set as they go.
    "worker-src blob:",
    "style-src 'unsafe-inline'",
    "font-src data:",
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function sha256(text: string, encoding: "base64" | "base64url"): string {
  return createHash("sha256").update(text).digest(encoding);
}
