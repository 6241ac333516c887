// Mercurius with its compiler on, on Fastify; hand-written statements, one for all nested lists of a page.

import fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";
import { documentHash } from "../../../src/documents/register.ts";
import { PLAIN } from "../cases.ts";
import { TYPE_DEFS } from "./schema.ts";
import { CONNECTIONS, DATABASE_URL, say } from "./serve.ts";
import { beginning, HISTORIES, ONE, PAGE, SEARCH } from "./sql.ts";

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: CONNECTIONS });
const app = fastify();

interface Row {
  id: string;
  bank: string;
}

await app.register(mercurius, {
  schema: TYPE_DEFS,
  jit: 1,
  persistedQueries: Object.fromEntries(Object.values(PLAIN).map((text) => [documentHash(text), text])),
  onlyPersisted: true,
  resolvers: {
    Query: {
      async customer(_root: unknown, { bank, id }: Row) {
        const { rows } = await pool.query({ name: "one", text: ONE, values: [bank, id] });
        return rows[0] && { ...rows[0], createdAt: rows[0].createdAt.toISOString() };
      },
      async customers(_root: unknown, { bank, first }: { bank: string; first: number }) {
        const { rows } = await pool.query({ name: "page", text: PAGE, values: [bank, first] });
        for (const row of rows) row.bank = bank;
        return { nodes: rows };
      },
      async search(_root: unknown, { bank, word, first }: { bank: string; word: string; first: number }) {
        const { rows } = await pool.query({ name: "search", text: SEARCH, values: [bank, beginning(word), first] });
        return { nodes: rows };
      },
    },
  },
  loaders: {
    Customer: {
      async history(queries: { obj: Row; params: { first: number } }[]) {
        const { bank } = queries[0]!.obj;
        const ids = queries.map(({ obj }) => obj.id);
        const { rows } = await pool.query({ name: "histories", text: HISTORIES, values: [bank, ids, queries[0]!.params.first] });
        const lists = Map.groupBy(rows as { customerId: string; at: Date | string }[], ({ customerId }) => customerId);
        for (const row of rows) row.at = row.at.toISOString();
        return ids.map((id) => ({ nodes: lists.get(id) ?? [] }));
      },
    },
  },
} as never);

await app.listen({ port: 0, host: "127.0.0.1" });
say((app.server.address() as { port: number }).port);
