import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";

/**
 * Who may import whom: a room (a folder or a file of src/, without its ending), and the rooms that it takes from while
 * running. The longest name that fits is a file's room. A room may always take from itself.
 */
const MAY_IMPORT: Record<string, string[]> = {
  cli: [
    "start",
    "workers",
    "banner",
    "config",
    "access",
    "database",
    "keyring-file",
    "startup-error",
    "audit",
    "modules/customer/customer.erase-again",
    "telemetry/log",
  ],
  start: ["app", "http/drain", "http/listen", "http/metrics"],
  workers: ["http/listen", "http/metrics", "startup-error", "telemetry"],
  banner: ["start", "demo", "documents"],
  app: [
    "access",
    "database",
    "demo",
    "documents",
    "http",
    "jobs",
    "keyring-file",
    "limits",
    "modules",
    "read-as",
    "retention",
    "telemetry",
    "audit",
  ],
  "read-as": ["access", "audit", "graphql", "limits", "telemetry", "database/deadline"],
  retention: ["changes", "modules"],
  demo: ["access", "changes", "database", "documents", "http/rest/rest-documents", "modules", "startup-error"],
  http: [
    "access",
    "changes/idempotency",
    "database/deadline",
    "documents",
    "graphql",
    "audit",
    "limits",
    "sandbox",
    "startup-error",
    "telemetry/request-facts",
  ],
  limits: ["answer-within", "graphql/errors", "graphql/field-facts", "graphql/nesting", "graphql/operation", "telemetry"],
  documents: ["access/principal", "graphql/errors", "telemetry/request-facts"],
  "graphql/schema": ["graphql", "modules"],
  modules: [
    "access",
    "changes",
    "database",
    "graphql",
    "rules",
    "audit",
    "limits/read-document",
    "limits/cost",
    "documents/register",
    "sandbox",
  ],
  changes: ["access", "graphql", "audit", "database/client", "database/generated", "sandbox"],
  sandbox: ["graphql/failure"],
  audit: ["access", "database/client", "database/fault"],
  graphql: ["access", "crypto", "database/generated", "database/fault", "telemetry"],
  config: ["crypto", "startup-error", "variables"],
  variables: ["access/jwt-issuers", "http/cors-origins", "variable-forms"],
  "variable-forms": [],
  "keyring-file": ["crypto", "database", "startup-error"],
  access: ["database/generated/enums", "graphql/errors", "graphql/global-id", "http/loopback"],
  database: ["answer-within", "startup-error"],
  rules: ["graphql/issue"],
  jobs: ["startup-error", "telemetry"],
  context: [],
  crypto: [],
  telemetry: [],
  "answer-within": [],
  "startup-error": [],
};

/** What any file may take as a type: the things that a request and the process are made of. */
const SHARED_TYPES = ["context", "config", "access", "audit", "crypto", "database", "jobs", "limits", "telemetry"];

/** Of another module: its type, its loader and what tells the columns to load; and a batch of something takes the batch machinery. */
const isModulesFace = (from: string, to: string) =>
  /\.(type|loader|selection)$/.test(to) || (to.startsWith("modules/batch/") && /\.batch(\.(mutation|type))?$/.test(from));

/** Packages that one room alone takes, so that what it stands on can be changed there. Types may go further. */
const ONLY_IN: Record<string, string> = {
  "@electric-sql/pglite": "database",
  "@electric-sql/pglite-socket": "database",
  "@faker-js/faker": "demo",
  "@opentelemetry/api": "telemetry",
  "@opentelemetry/exporter-trace-otlp-http": "telemetry",
  "@opentelemetry/resources": "telemetry",
  "@opentelemetry/sdk-trace": "telemetry",
  "@prisma/adapter-pg": "database",
  commander: "cli",
  "graphql-yoga": "http",
  ioredis: "limits",
  jose: "access",
  pg: "database",
  "pg-boss": "jobs",
  pino: "telemetry",
  "ipaddr.js": "modules/webhook",
  "prom-client": "telemetry",
  standardwebhooks: "modules/webhook",
  undici: "modules/webhook",
};

const SRC = join(import.meta.dirname, "../src");
const MAX_LINES = 200;

interface Import {
  readonly from: string;
  /** A file of src/ without its ending, or a package. */
  readonly to: string;
  /** `import type`: gone when the program runs. `import { type X }` is not: it still loads the file. */
  readonly typeOnly: boolean;
}

/** The files of src/ by name, without their ending; what Prisma generates is not ours to judge. */
const files = new Map(
  readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !path.startsWith("database/generated/"))
    .map((path) => [path.slice(0, -".ts".length), readFileSync(join(SRC, path), "utf8")]),
);
const imports = [...files].flatMap(([from, text]) => importsOf(from, text));
const own = imports.filter(({ to }) => files.has(to) || to.startsWith("database/generated/"));

function importsOf(from: string, text: string): Import[] {
  const statements = /^import\s+(?<type>type\s)?(?:[^"';]*?\sfrom\s+)?"(?<to>[^"]+)"|\bimport\("(?<lazy>[^"]+)"\)/gm;
  return [...text.matchAll(statements)].map(({ groups }) => {
    const to = (groups!["to"] ?? groups!["lazy"])!;
    return {
      from,
      to: to.startsWith(".") ? posix.join(posix.dirname(from), to).replace(/\.ts$/, "") : to,
      typeOnly: groups!["type"] !== undefined,
    };
  });
}

const isIn = (file: string, room: string) => file === room || file.startsWith(`${room}/`);
const moduleOf = (file: string) => /^modules\/[^/]+/.exec(file)?.[0];

function roomOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((room) => isIn(file, room))
    .sort((a, b) => b.length - a.length)[0];
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const room = roomOf(from)!;
  const [ours, theirs] = [moduleOf(from), moduleOf(to)];
  if (ours && theirs) return ours === theirs || isModulesFace(from, to);
  return [room, ...MAY_IMPORT[room]!, ...(typeOnly ? SHARED_TYPES : [])].some((allowed) => isIn(to, allowed));
}

/** Everything that comes along when a file is loaded. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  for (const { from, to, typeOnly } of own) {
    if (from !== file || typeOnly || seen.has(to)) continue;
    seen.add(to);
    loadedWith(to, seen);
  }
  return seen;
}

const show = ({ from, to }: Import) => `${from} → ${to}`;

describe("who imports whom", () => {
  test("imports are found", () => {
    expect(own.length).toBeGreaterThan(100);
    expect(importsOf("a/b", 'import {\n  type X,\n} from "../c.ts";\nimport type { Y } from "./d.ts";\nimport "zod";')).toEqual([
      { from: "a/b", to: "c", typeOnly: false },
      { from: "a/b", to: "a/d", typeOnly: true },
      { from: "a/b", to: "zod", typeOnly: false },
    ]);
  });

  test("every file has a room", () => {
    expect([...files.keys()].filter((file) => !roomOf(file))).toEqual([]);
  });

  test("only as the table says", () => {
    expect(own.filter((one) => !isAllowed(one)).map(show)).toEqual([]);
  });

  test("no row of the table is idle", () => {
    const idle = Object.entries(MAY_IMPORT).flatMap(([room, taken]) =>
      taken.filter((to) => !own.some((one) => roomOf(one.from) === room && isIn(one.to, to))).map((to) => `${room} → ${to}`),
    );
    expect(idle).toEqual([]);
  });

  test("no file loads itself", () => {
    expect([...files.keys()].filter((file) => loadedWith(file).has(file))).toEqual([]);
  });

  test("a policy is pure: it brings along neither the database nor the schema", () => {
    const policies = [...files.keys()].filter((file) => file.endsWith(".policy"));
    expect(policies.length).toBeGreaterThan(0);
    for (const policy of policies) {
      expect(
        [...loadedWith(policy)].filter((file) => isIn(file, "database") || file === "graphql/builder"),
        policy,
      ).toEqual([]);
    }
  });

  test("the batch core knows nothing of what is in a batch", () => {
    expect([...loadedWith("modules/batch/batch.core")].filter((file) => moduleOf(file) && moduleOf(file) !== "modules/batch")).toEqual([]);
  });

  test("packages are taken where they belong", () => {
    const packages = imports.filter(({ to, typeOnly }) => !typeOnly && Object.hasOwn(ONLY_IN, packageOf(to)));
    expect(packages.filter(({ from, to }) => !isIn(from, ONLY_IN[packageOf(to)]!)).map(show)).toEqual([]);
    expect(new Set(packages.map(({ to }) => packageOf(to)))).toEqual(new Set(Object.keys(ONLY_IN)));
  });

  test("what traces take is loaded only when it is used", () => {
    const users = new Set(imports.filter(({ to, typeOnly }) => !typeOnly && to.startsWith("@opentelemetry/")).map(({ from }) => from));
    expect([...users]).toEqual(["telemetry/otlp"]);
    const takers = own.filter(({ to, typeOnly }) => to === "telemetry/otlp" && !typeOnly).map(({ from }) => from);
    expect(takers).toEqual(["telemetry/tracing"]);
    expect(readFileSync(join(SRC, "telemetry/tracing.ts"), "utf8")).not.toMatch(/^import [^;]*otlp/m);
  });
});

const packageOf = (name: string) => name.split("/", name.startsWith("@") ? 2 : 1).join("/");

describe("files", () => {
  const naming = (pattern: RegExp) => [...files].filter(([, text]) => pattern.test(text)).map(([file]) => file);

  test("say what they are about", () => {
    expect([...files.keys()].filter((file) => /\b(utils?|helpers?|common|manager|misc|shared|index)\b/i.test(file))).toEqual([]);
    expect([...files.keys()].filter((file) => !/^[a-z0-9/.-]+$/.test(file))).toEqual([]);
  });

  test("pass nothing on: who needs something takes it from where it is made", () => {
    expect(naming(/^export\s[^;]*?\sfrom\s+"/m)).toEqual([]);
  });

  test("only the schema imports for effect", () => {
    expect(naming(/^import\s+"/m)).toEqual(["graphql/schema"]);
  });

  test("only the configuration reads the environment", () => {
    expect(naming(/\bprocess\.env\b/)).toEqual(["config"]);
  });

  test(`hold one idea: at most ${MAX_LINES} lines, not counting the documents and statements in them`, () => {
    const lines = (text: string) =>
      text
        .replace(/`[^`]*`/g, "")
        .trimEnd()
        .split("\n").length;
    expect([...files].filter(([, text]) => lines(text) > MAX_LINES).map(([file]) => file)).toEqual([]);
  });
});
