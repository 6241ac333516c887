import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { documentHash } from "../../src/documents/register.ts";
import { command, type Env, freshEnv, keyFor, startGateway } from "../support/process.ts";

const WHO = "query Who { viewer { mode } }";
const PAGE = "query Page($first: Int) {\n  customers(first: $first) {\n    nodes { id accountName }\n  }\n}";
const ids = (...texts: string[]) => Object.fromEntries(texts.map((text) => [documentHash(text), text]));

it("publishes, lists, compares, checks, deprecates and retires a client's documents", { timeout: 180_000 }, async () => {
  const env = await freshEnv();
  const { url } = await startGateway(env);
  const at: Env = { GATEWAY_URL: url, GATEWAY_KEY: await keyFor(env) };
  const run = (...words: string[]) => command(words, at).ended;
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(...words, "--json");
    expect({ code, stderr }, words.join(" ")).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const refused = async (cause: RegExp, ...words: string[]) => {
    const { code, stderr } = await run(...words);
    expect(code).toBe(1);
    expect(stderr).toMatch(cause);
    expect(stderr).not.toMatch(/\n\s+at /);
  };
  const file = (name: string, content: unknown) => {
    const path = join(env["DATA_DIR"]!, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };
  await json("keys", "create", "--mode", "sandbox", "--audience", "PARTNER", "--scopes", "customers:read", "--client", "shop");
  const of = ["--client", "shop"];

  // What graphql-codegen, Relay and Apollo write.
  const codegen = file("codegen.json", { [`sha256:${documentHash(WHO)}`]: WHO });
  const relay = file("relay.json", ids(PAGE));
  const operations = [WHO, PAGE].map((body) => ({ id: documentHash(body), name: "X", type: "query", body }));
  const apollo = file("apollo.json", { format: "apollo-persisted-query-manifest", version: 1, operations });
  expect(await json("documents", "push", codegen, ...of)).toMatchObject({ added: 1, documents: [{ name: "Who", state: "ACTIVE" }] });
  expect(await json("documents", "diff", apollo, ...of)).toEqual({ added: [{ hash: documentHash(PAGE) }], missing: [], retired: [] });
  expect(await json("documents", "push", relay, ...of)).toMatchObject({ added: 1 });
  expect(await json("documents", "push", apollo, ...of)).toMatchObject({ added: 0 });
  expect((await run("documents", "diff", codegen, ...of)).stdout).toContain(`- ${documentHash(PAGE)} Page, used 0 times`);

  // Nothing of a manifest is published when one document of it cannot be.
  const bad = "query Bad {\n  customers { nodes { nme } }\n}";
  const withheld = "query Withheld { customers { nodes { email } } }";
  const wrong = file("wrong.json", { ...ids(bad, withheld, "query Fine { viewer { bankId } }"), "5d41402abc4b2a76b9719d911017c592": WHO });
  const { code, stderr } = await run("documents", "push", wrong, ...of);
  expect(code).toBe(1);
  expect(stderr).toContain('Bad, line 2: Cannot query field "nme"');
  expect(stderr).toMatch(/Withheld, line 1: customers\.nodes\.email: Customer\.email would be withheld from key [0-9a-f]{16}/);
  expect(stderr).toContain("Who: its id is not the SHA-256 of its text");
  expect(await json("documents", "list", ...of)).toHaveLength(2);

  // A schema that loses a field breaks the documents that ask for it.
  expect((await run("documents", "check")).code).toBe(0);
  const narrow = file(
    "narrow.graphql",
    "type Query { viewer: Viewer! customers(first: Int): List! } type Viewer { mode: Mode! } enum Mode { SANDBOX LIVE } type List { nodes: [Node!]! } type Node { id: ID! }",
  );
  const broken = await run("documents", "check", "--schema", narrow, ...of);
  expect({ code: broken.code, stdout: broken.stdout }).toEqual({
    code: 1,
    stdout: expect.stringContaining('Page, line 3: Cannot query field "accountName" on type "Node".') as string,
  });
  expect(broken.stdout).toContain("2 documents, 1 of them would break.");

  // What stays valid can break who sends it, or who reads the answer.
  const create = "mutation Make($input: CreateCustomerInput!) { createCustomer(input: $input) { ... on Customer { id } } }";
  const own = readFileSync(join(import.meta.dirname, "../../schema.graphql"), "utf8");
  const changed = own
    .replace(/input CreateCustomerInput \{/, "input CreateCustomerInput {\n  planet: String!")
    .replace(/(type Viewer [^}]*?bankId: )ID!/s, "$1Int!");
  expect(changed.length).toBeGreaterThan(own.length);
  await json("keys", "create", "--mode", "sandbox", "--audience", "APP", "--scopes", "customers:write", "--client", "maker");
  await json("documents", "push", file("make.json", ids(create)), "--client", "maker");
  const next = file("next.graphql", changed);
  expect((await run("documents", "check", "--schema", next, "--client", "maker")).stdout).toContain(
    "maker: Make: A required field planet on input type CreateCustomerInput was added.",
  );
  expect((await run("documents", "check", "--schema", next, ...of)).code).toBe(0);
  await refused(/there is no such client/, "documents", "check", "--client", "nobody");
  await refused(/there is no such client/, "documents", "list", "--client", "nobody");
  await refused(/whole number/, "documents", "client", ...of, "--cost-limit", "abc");
  await refused(/whole number/, "documents", "client", ...of, "--cost-limit", "");

  // What takes several calls is published whole or not at all, too.
  const many = Array.from({ length: 200 }, (_, number) => `query Many${number} { viewer { mode } } # ${"x".repeat(600)}`);
  const before = (await json("documents", "list", ...of)).length;
  await refused(/gateway refused/, "documents", "push", file("many.json", ids(...many, bad)), ...of);
  expect(await json("documents", "list", ...of)).toHaveLength(before);
  expect(await json("documents", "push", file("good.json", ids(...many)), ...of)).toMatchObject({ added: 200 });

  expect(await json("documents", "deprecate", documentHash(PAGE), ...of)).toMatchObject({ state: "DEPRECATED" });
  expect((await run("documents", "retire", `sha256:${documentHash(PAGE)}`, ...of)).stdout).toBe("Page is retired.\n");
  await refused(/Page: is retired/, "documents", "push", relay, ...of);
  expect((await run("documents", "check", "--schema", narrow, ...of)).code).toBe(0);
  expect((await json("documents", "list")).find(({ hash }: { hash: string }) => hash === documentHash(PAGE))).toMatchObject({
    client: "shop",
    state: "RETIRED",
  });
  expect(await json("documents", "client", ...of, "--access", "trusted", "--cost-limit", "500")).toMatchObject({
    access: "TRUSTED",
    costLimit: 500,
  });

  await refused(/Client not found/, "documents", "push", relay, "--client", "nobody");
  await refused(/Document not found/, "documents", "retire", "0".repeat(64), ...of);
  await refused(/ENOENT/, "documents", "push", "nowhere.json", ...of);
  await refused(/not JSON/, "documents", "push", file("text.json", "hello"), ...of);
  await refused(/no documents/, "documents", "push", file("empty.json", {}), ...of);
  await refused(/no object of ids/, "documents", "push", file("list.json", []), ...of);
  await refused(/no id with a text/, "documents", "push", file("odd.json", { a: 1 }), ...of);
  await refused(/format is none that is known/, "documents", "push", file("other.json", { format: "other" }), ...of);
  await refused(/Syntax Error/, "documents", "check", "--schema", file("broken.graphql", "type {"));
});
