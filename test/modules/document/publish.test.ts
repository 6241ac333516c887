import { describe, expect, test } from "vitest";
import { documentHash } from "../../../src/documents/register.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const publisher = await gateway.key({ scopes: ["documents:publish"] });
const partner = await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "partner" });
const front = await gateway.key({ audience: "APP", scopes: ["customers:read:extended"], client: "front" });
await gateway.key({ bank: "beta", audience: "PARTNER", scopes: ["customers:read"], client: "beta-partner" });

const PUBLISH = `mutation ($input: PublishDocumentsInput!) { publishDocuments(input: $input) {
  __typename ... on DocumentsPublished { added documents { documentId hash name state cost uses lastUsedAt deprecatedAt } }
  ... on InvalidDocuments { issues { document hash line message } } ... on Error { code } } }`;
const sent = (text: string) => ({ hash: documentHash(text), text });
const publish = async (client: string, texts: string[], key = publisher) =>
  (await gateway.query(key, PUBLISH, { input: { client, documents: texts.map(sent) } })).body.data.publishDocuments;
const messages = async (client: string, text: string) =>
  ((await publish(client, [text])).issues as { line: number | null; message: string }[]).map(({ line, message }) => [line, message]);

const run = (key: string, text: string, variables = {}, method = "POST") => {
  const documentId = `sha256:${documentHash(text)}`;
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return method === "GET"
    ? gateway.send(`/graphql?documentId=${documentId}`, { headers })
    : gateway.send("/graphql", { method, headers, body: JSON.stringify({ documentId, variables }) });
};
const codeOf = async (response: Response) =>
  ((await response.json()) as { errors?: { extensions: { code: string } }[] }).errors?.[0]?.extensions.code;

/** Until what was changed is so for this gateway too: a second at most. */
const eventually = async (status: number, ask: () => Promise<Response>) => {
  let response = await ask();
  for (let tries = 0; response.status !== status && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    response = await ask();
  }
  expect(response.status).toBe(status);
  return response;
};

const PAGE = "query Page($first: Int) { customers(first: $first) { nodes { id accountName } } }";

describe("publishing", () => {
  test("registers documents that run within a second, once each; a second time it changes nothing", async () => {
    const one = await publish("partner", [PAGE, PAGE]);
    expect(one).toEqual({
      __typename: "DocumentsPublished",
      added: 1,
      documents: [
        {
          documentId: `sha256:${documentHash(PAGE)}`,
          hash: documentHash(PAGE),
          name: "Page",
          state: "ACTIVE",
          cost: 101,
          uses: 0,
          lastUsedAt: null,
          deprecatedAt: null,
        },
      ],
    });
    expect((await publish("partner", [PAGE])).added).toBe(0);
    await eventually(200, () => run(partner, PAGE, { first: 1 }));
    // Another client's, and the same client's name in another bank: not registered.
    expect((await run(front, PAGE)).status).toBe(404);
  });

  test("says of each document every reason against it, by name and line, and registers none", async () => {
    const fine = "query Fine { viewer { mode } }";
    const broken = "query Broken {\n  viewer { mode }\n  customers { nodes { nme } }\n}";
    const { __typename, code, issues } = await publish("partner", [fine, broken, "query {", "{ viewer { mode } }"]);
    expect({ __typename, code }).toEqual({ __typename: "InvalidDocuments", code: "INVALID_DOCUMENTS" });
    expect(issues.map(({ document, line, message }: any) => [document.length === 64 ? "-" : document, line, message])).toEqual([
      ["Broken", 3, expect.stringContaining('Cannot query field "nme"')],
      ["-", 1, expect.stringContaining("Syntax Error")],
      ["-", 1, "its operation must have a name"],
    ]);
    expect((await run(partner, fine)).status).toBe(404);
  });

  test("refuses what a key of the client would not be shown, or be refused, under whatever variables", async () => {
    const withheld = "query Withheld($s: Boolean!) {\n customers { nodes { id mail: email @include(if: $s) } } }";
    expect(await messages("partner", withheld)).toEqual([
      [
        2,
        expect.stringMatching(
          /^customers\.nodes\.mail: Customer\.email would be withheld from key [0-9a-f]{16}, which lacks customers:read:extended$/,
        ),
      ],
    ]);
    expect((await publish("front", [withheld])).added).toBe(1);
    const write = "mutation Write($input: CreateCustomerInput!) { createCustomer(input: $input) { __typename } }";
    expect(await messages("front", write)).toEqual([[1, expect.stringContaining("it needs customers:write")]]);
    const batch = "query Batch($id: ID!) { node(id: $id) { ... on BatchResult { status } id } }";
    expect((await publish("partner", [batch])).__typename).toBe("DocumentsPublished");
    expect(await messages("partner", "query Schema { __schema { queryType { name } } }")).toEqual([
      [1, expect.stringContaining("__schema would be refused to key")],
    ]);
  });

  test("refuses what can cost more than the client may, with the largest variables", async () => {
    const update = (costLimit: number | null, key = publisher) =>
      gateway.query(
        key,
        "mutation ($input: UpdateClientInput!) { updateClient(input: $input) { __typename ... on Client { name access costLimit } ... on InvalidClient { issues { field message } } } }",
        { input: { client: "partner", costLimit } },
      );
    expect((await update(0)).body.data.updateClient.issues).toEqual([{ field: "costLimit", message: "must be from 1 to 2000000000" }]);
    expect((await update(150)).body.data.updateClient).toEqual({ __typename: "Client", name: "partner", access: "OPEN", costLimit: 150 });
    const dear = "query Dear($first: Int) { a: customers(first: $first) { nodes { id } } b: customers(first: $first) { nodes { id } } }";
    expect(await messages("partner", dear)).toEqual([[null, "it can cost 201 points with the largest variables; at most 150 are allowed"]]);
    expect(
      (await publish("partner", [dear.replace("$first: Int", "").replace("query Dear()", "query Dear").replaceAll("$first", "70")])).added,
    ).toBe(1);
    // It holds at run time as well, for what was published before.
    await gateway.app.services.db.clientSettings.updateMany({ data: { costLimit: 50 } });
    const refused = await eventually(400, () => run(partner, PAGE, { first: 60 }));
    expect(await codeOf(refused)).toBe("COST_LIMIT_EXCEEDED");
    expect((await update(null)).body.data.updateClient.costLimit).toBeNull();
  });

  test("takes hashes with and without sha256:, and no other id", async () => {
    const text = "query Other { viewer { bankId } }";
    const input = (hash: string) => ({ input: { client: "partner", documents: [{ hash, text }] } });
    for (const hash of ["5d41402abc4b2a76b9719d911017c592", documentHash(text).toUpperCase(), "", "__proto__"]) {
      const { issues } = (await gateway.query(publisher, PUBLISH, input(hash))).body.data.publishDocuments;
      expect(issues.map(({ message }: { message: string }) => message)).toEqual([
        expect.stringContaining("is not the SHA-256 of its text"),
      ]);
    }
    expect((await gateway.query(publisher, PUBLISH, input(`sha256:${documentHash(text)}`))).body.data.publishDocuments.added).toBe(1);
    expect((await publish("partner", [])).__typename).toBe("InvalidDocuments");
    expect(await messages("partner", "query Nul { viewer { mode } } # \0")).toEqual([[null, "it holds a NUL sign"]]);
    expect((await publish("keyless", [text])).__typename).toBe("ClientNotFound");
    const ended = await gateway.key({ audience: "PARTNER", scopes: ["customers:read"], client: "keyless" });
    await gateway.app.services.db.apiKey.update({ where: { id: ended.split("_")[2]! }, data: { revokedAt: new Date() } });
    expect(await messages("keyless", text)).toEqual([[null, expect.stringContaining("a client without a valid key")]]);
  });

  test("another bank's client answers exactly like none", async () => {
    const answers = await Promise.all(["beta-partner", "nobody", "\0", "x".repeat(1000)].map((client) => publish(client, [PAGE])));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toEqual({ __typename: "ClientNotFound", code: "CLIENT_NOT_FOUND" });
    const list = "query ($client: String!) { documents(client: $client) { nodes { hash } } }";
    for (const client of ["beta-partner", "nobody", "\0"]) {
      expect((await gateway.query(publisher, list, { client })).body.data).toEqual({ documents: { nodes: [] } });
    }
    const clients = (await gateway.query(publisher, "{ clients { nodes { name access } } }")).body.data.clients.nodes;
    expect(clients).toEqual([
      { name: "front", access: "OPEN" },
      { name: "keyless", access: "OPEN" },
      { name: "partner", access: "OPEN" },
    ]);
  });
});

test("a key publishes, retires and sets what a client may in its own mode only", async () => {
  const live = await gateway.key({ mode: "LIVE", scopes: ["documents:publish"] });
  const livePartner = await gateway.key({ mode: "LIVE", audience: "PARTNER", scopes: ["customers:read"], client: "both" });
  const sandboxPartner = await gateway.key({ audience: "PARTNER", scopes: ["customers:read:extended"], client: "both" });
  const email = "query Email { customers { nodes { email } } }";
  const text = "query Both { viewer { mode } }";
  expect((await publish("both", [email, text])).added).toBe(2);
  expect((await publish("both", [email], live)).issues).toHaveLength(1);
  expect((await publish("both", [text], live)).added).toBe(1);
  await eventually(200, () => run(livePartner, text));
  const retire = "mutation ($input: RetireDocumentInput!) { retireDocument(input: $input) { ... on PersistedDocument { state } } }";
  await gateway.query(publisher, retire, { input: { client: "both", hash: documentHash(text) } });
  await eventually(404, () => run(sandboxPartner, text));
  expect((await run(livePartner, text)).status).toBe(200);
  const set = "mutation ($input: UpdateClientInput!) { updateClient(input: $input) { ... on Client { costLimit } } }";
  await gateway.query(publisher, set, { input: { client: "both", costLimit: 7 } });
  const limits = async (key: string) =>
    (await gateway.query(key, "{ clients { nodes { name costLimit } } }")).body.data.clients.nodes.find(
      ({ name }: { name: string }) => name === "both",
    );
  expect([await limits(publisher), await limits(live)]).toEqual([
    { name: "both", costLimit: 7 },
    { name: "both", costLimit: null },
  ]);
});

describe("a document's life", () => {
  const TEXT = "query Life { viewer { audience } }";
  const step = async (name: string, hash = documentHash(TEXT)) => {
    const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
    const document = `mutation ($input: ${type}) { result: ${name}(input: $input) { __typename ... on PersistedDocument { state } ... on Error { code } } }`;
    return (await gateway.query(publisher, document, { input: { client: "partner", hash } })).body.data.result;
  };

  test("active, deprecated with a Deprecation header, retired; and counted all the while", async () => {
    await publish("partner", [TEXT]);
    const active = await eventually(200, () => run(partner, TEXT));
    expect(active.headers.get("deprecation")).toBeNull();
    const before = Math.floor(Date.now() / 1000);
    for (let again = 0; again < 2; again += 1) expect((await step("deprecateDocument")).state).toBe("DEPRECATED");
    let deprecated = await run(partner, TEXT, {}, "GET");
    for (let tries = 0; !deprecated.headers.has("deprecation") && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      deprecated = await run(partner, TEXT, {}, "GET");
    }
    expect(deprecated.headers.get("deprecation")).toMatch(/^@\d{10}$/);
    expect(Number(deprecated.headers.get("deprecation")!.slice(1))).toBeGreaterThanOrEqual(before);
    expect(deprecated.headers.get("cache-control")).toBe("private");

    expect((await step("retireDocument")).state).toBe("RETIRED");
    expect(await codeOf(await eventually(404, () => run(partner, TEXT)))).toBe("DOCUMENT_NOT_FOUND");
    expect((await step("deprecateDocument")).state).toBe("RETIRED");
    expect((await publish("partner", [TEXT])).issues).toEqual([
      { document: "Life", hash: documentHash(TEXT), line: null, message: expect.stringContaining("is retired") },
    ]);
    for (const hash of ["", "x", "0".repeat(64)]) expect((await step("retireDocument", hash)).code).toBe("PERSISTED_DOCUMENT_NOT_FOUND");

    const read = async () =>
      (await gateway.query(publisher, '{ documents(client: "partner", states: [RETIRED]) { nodes { name uses points lastUsedAt } } }')).body
        .data.documents.nodes[0];
    let document = await read();
    for (let tries = 0; document.uses < 3 && tries < 300; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      document = await read();
    }
    expect(document.uses).toBeGreaterThanOrEqual(3);
    expect(document.points).toBeGreaterThanOrEqual(document.uses);
    expect(Date.parse(document.lastUsedAt)).toBeLessThanOrEqual(Date.now());
  });

  test("a trusted client's APP keys send no text; a mutation is not run by GET", async () => {
    const update = (access: string) =>
      gateway.query(publisher, "mutation ($input: UpdateClientInput!) { updateClient(input: $input) { ... on Client { access } } }", {
        input: { client: "front", access },
      });
    const text = () =>
      gateway.send("/graphql", {
        method: "POST",
        headers: { authorization: `Bearer ${front}`, "content-type": "application/json" },
        body: JSON.stringify({ query: "{ viewer { mode } }" }),
      });
    expect((await text()).status).toBe(200);
    expect((await update("TRUSTED")).body.data.updateClient.access).toBe("TRUSTED");
    expect(await codeOf(await eventually(403, text))).toBe("DOCUMENT_REQUIRED");
    const who = "query Who { viewer { mode } }";
    expect((await publish("front", [who])).added).toBe(1);
    await eventually(200, () => run(front, who));
    await update("OPEN");
    await eventually(200, text);

    const writer = await gateway.key({ audience: "APP", scopes: ["customers:write"], client: "writer" });
    const mutation = "mutation Write { createCustomer(input: {}) { __typename } }";
    expect((await publish("writer", [mutation])).added).toBe(1);
    await eventually(405, () => run(writer, mutation, {}, "GET"));
    expect((await run(writer, mutation)).status).toBe(200);
  });

  test("needs documents:publish, and leaves an audit entry that names the hash", async () => {
    const other = await gateway.key({ scopes: ["customers:read"] });
    const { status, body } = await gateway.query(other, PUBLISH, { input: { client: "partner", documents: [sent(PAGE)] } });
    expect([status, body.errors![0]!.extensions.code]).toEqual([403, "FORBIDDEN"]);
    const entry = await gateway.app.services.db.auditEntry.findFirst({
      where: { operation: "publishDocuments", outcome: "OK", subjects: { has: documentHash(PAGE) } },
    });
    expect(entry).not.toBeNull();
  });
});
