// The floor: node:http and one hand-written statement a request. No GraphQL, no key, no limit.

import { createServer, type IncomingMessage } from "node:http";
import pg from "pg";
import { CONNECTIONS, DATABASE_URL, serve } from "./serve.ts";
import { beginning, ONE, PAGE_WITH_HISTORIES, SEARCH } from "./sql.ts";

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: CONNECTIONS });

interface Question {
  bank: string;
  id?: string;
  word?: string;
}

async function read(request: IncomingMessage): Promise<Question> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return JSON.parse(text);
}

async function answer({ bank, id, word }: Question): Promise<string> {
  if (word !== undefined) {
    const { rows } = await pool.query({ name: "search", text: SEARCH, values: [bank, beginning(word), 20] });
    return JSON.stringify({ data: { customers: { nodes: rows } } });
  }
  if (id === undefined) {
    const { rows } = await pool.query<{ nodes: string }>({ name: "page", text: PAGE_WITH_HISTORIES, values: [bank] });
    return `{"data":{"customers":{"nodes":${rows[0]!.nodes}}}}`;
  }
  const { rows } = await pool.query({ name: "one", text: ONE, values: [bank, id] });
  return JSON.stringify({ data: { customer: rows[0] ?? null } });
}

await serve(
  createServer((request, response) => {
    void read(request)
      .then(answer)
      .then((body) => response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body));
  }),
);
