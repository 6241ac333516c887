import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { ensureSchema } from "../../src/database/migrate.ts";
import { batchRow, caller } from "../support/customers.ts";
import { PGBOUNCER_PATH } from "../support/environment.ts";
import { openGateway } from "../support/gateway.ts";
import { serverDatabase, withClient } from "./backends.ts";

describe.runIf(PGBOUNCER_PATH && process.env["TEST_ON"] === "postgres")(
  "behind PgBouncer in transaction mode, over two connections",
  async () => {
    if (!PGBOUNCER_PATH || process.env["TEST_ON"] !== "postgres") return;
    let pooler: Awaited<ReturnType<typeof startPgBouncer>>;
    const gateway = await openGateway(async ({ databaseUrl }) => {
      pooler = await startPgBouncer(databaseUrl!);
      return { databaseUrl: pooler.address(databaseUrl!) };
    });
    afterAll(() => pooler.stop());

    test("two banks read and write at once, and each sees its own", async () => {
      const banks = ["pooled-a", "pooled-b"];
      const keys = await Promise.all(banks.map((bank) => gateway.key({ bank })));
      const created = await Promise.all(
        Array.from({ length: 40 }, (_, number) => caller(gateway, keys[number % 2]!).batch([batchRow(number), batchRow(number + 1000)])),
      );
      expect(created.map(({ createdCount }) => createdCount)).toEqual(Array(40).fill(2));
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, number) => gateway.query(keys[number % 2]!, "{ customers(first: 100) { nodes { bankId } } }")),
      );
      answers.forEach(({ body }, number) =>
        expect(body.data.customers.nodes.map(({ bankId }: { bankId: string }) => bankId)).toEqual(Array(40).fill(banks[number % 2])),
      );
    });

    test("nothing of a request stays on a connection that another takes over", async () => {
      const rows = await Promise.all(
        Array.from(
          { length: 20 },
          () => gateway.app.services.db.$queryRaw<object[]>`
        SELECT current_user = session_user AS own, coalesce(current_setting('gateway.bank', true), '') AS bank`,
        ),
      );
      for (const row of rows.flat()) expect(row).toEqual({ own: true, bank: "" });
    });

    test("an empty database is migrated through it, and no lock is left", async () => {
      const database = await serverDatabase();
      const { connectionString } = database.connection as { connectionString: string };
      try {
        expect(
          (await ensureSchema({ connectionString: pooler.address(connectionString) }, { autoMigrate: "if-empty" })).length,
        ).toBeGreaterThan(0);
        const locks =
          "SELECT count(*)::int AS left FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        await vi.waitFor(
          async () => expect((await withClient(database.connection, (client) => client.query(locks))).rows).toEqual([{ left: 0 }]),
          20_000,
        );
      } finally {
        await database.drop();
      }
    });
  },
);

/** A PgBouncer of the test's own before the server of an address; for every database of it. */
async function startPgBouncer(server: string) {
  const { hostname, port, username, password } = new URL(server);
  const dir = await mkdtemp(join(tmpdir(), "customer-gateway-pgbouncer-"));
  const listenPort = await freePort();
  const users = join(dir, "users.txt");
  await writeFile(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  await writeFile(
    join(dir, "pgbouncer.ini"),
    `[databases]\n* = host=${hostname} port=${port || 5432}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${listenPort}\nunix_socket_dir =\n` +
      `auth_type = trust\nauth_file = ${users}\npool_mode = transaction\ndefault_pool_size = 2\nlogfile = ${join(dir, "log")}\n`,
  );
  // It will not run as root: in a container of tests it goes on as nobody, who must be able to read these.
  const asRoot = process.getuid?.() === 0;
  if (asRoot) await Promise.all([chmod(dir, 0o777), chmod(users, 0o644)]);
  const child: ChildProcess = spawn(PGBOUNCER_PATH!, [...(asRoot ? ["-u", "nobody"] : []), join(dir, "pgbouncer.ini")], {
    stdio: "ignore",
  });
  const address = (url: string) => {
    const pooled = new URL(url);
    pooled.host = `127.0.0.1:${listenPort}`;
    pooled.search = "?pgbouncer=true&connection_limit=10";
    return pooled.href;
  };
  await vi.waitFor(() => withClient({ connectionString: address(server) }, (client) => client.query("SELECT 1")), 10_000);
  return {
    address,
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
