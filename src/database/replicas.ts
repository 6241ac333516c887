import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { StartupError } from "../startup-error.ts";
import { answerWithin } from "../answer-within.ts";
import { createClient, type ClientOptions, type Database } from "./client.ts";
import { Prisma } from "./generated/client.ts";
import { isReplicaFault } from "./fault.ts";
import { coalesced } from "./coalesce.ts";
import { createTenantDatabase, type Tenancy, type TenantDatabase } from "./tenant-database.ts";
import { withFallback } from "./with-fallback.ts";

/** How long a read waits for a replica to come as far as it must be, and how often it looks; in milliseconds. */
const PATIENCE_MS = 50;
const LOOK_EVERY_MS = 2;

/** After how long without an answer a replica counts as away, since one that hangs is as good as none; in milliseconds. */
const HANGS_MS = 250;

/** How long after a fault a replica is asked again; in milliseconds. */
const REST_MS = 1000;

/** Where reads go. */
export interface Replicas {
  /** A bank's database as of this moment: a replica that has all that was committed before the call, or the primary. */
  read(principal: Tenancy): Promise<Database>;
  /** How many can be used, and how many reads went where. */
  state(): { readonly usable: number; readonly onReplica: number; readonly onPrimary: number };
  close(): Promise<void>;
}

export interface ReplicasParts {
  readonly primary: Database;
  readonly tenantDatabase: TenantDatabase;
  readonly options: ClientOptions;
  readonly log: Logger;
}

interface Replica {
  readonly number: number;
  readonly db: Database;
  readonly tenantDatabase: TenantDatabase;
  /** How far it has come: asked anew for each who begins to wait. Rejects when it is none, or away. */
  readonly replayed: () => Promise<bigint>;
  restsUntil: number;
}

/**
 * Reads from streaming replicas and is never older than the primary: a read asks the primary first how far its log of writes
 * goes, many reads together, and takes a replica once that has replayed so far. So each caller sees its own writes, through
 * whichever gateway they went, and everybody else's that were acknowledged. Where no replica comes so far in 50 ms, and when
 * one fails, the primary answers. Throws StartupError for an address that is no replica of the primary; one that cannot be
 * reached is tried again and again.
 */
export async function openReplicas({ replicaUrls, rowLevelSecurity }: Config, parts: ReplicasParts): Promise<Replicas | null> {
  if (replicaUrls.length === 0) return null;
  const { primary, tenantDatabase, options, log } = parts;
  const written = coalesced(async () => lsnOf(await primary.$queryRaw`SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS lsn`));
  const replicas = replicaUrls.map((connectionString, index) => {
    const db = createClient({ connectionString }, options);
    const isFault = (error: unknown) => isReplicaFault(error) && (rest(replica), true);
    const replica: Replica = {
      number: index + 1,
      db,
      tenantDatabase: createTenantDatabase(db, rowLevelSecurity, (first, principal) =>
        withFallback(first, tenantDatabase(principal), isFault),
      ),
      replayed: coalesced(async () => lsnOf(await answerWithin(HANGS_MS, db.$queryRaw(REPLAYED)))),
      restsUntil: 0,
    };
    return replica;
  });
  const refuse = (replica: Replica) =>
    refuseStranger(replica, primary).catch((error: unknown) => {
      if (error instanceof StartupError) throw error;
      rest(replica);
    });
  const close = async () => void (await Promise.all(replicas.map(({ db }) => db.$disconnect())));
  await Promise.all(replicas.map(refuse)).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  let turn = 0;
  const counts = { onReplica: 0, onPrimary: 0 };

  function rest(replica: Replica): void {
    if (replica.restsUntil === 0) log.warn({ replica: replica.number }, "a replica cannot be used; the primary answers");
    replica.restsUntil = performance.now() + REST_MS;
  }

  async function reaches(replica: Replica, lsn: bigint): Promise<boolean> {
    const until = performance.now() + PATIENCE_MS;
    try {
      for (;;) {
        const isThere = (await replica.replayed()) >= lsn;
        if (isThere && replica.restsUntil > 0) {
          replica.restsUntil = 0;
          log.warn({ replica: replica.number }, "a replica can be used again");
        }
        if (isThere || performance.now() > until) return isThere;
        await sleep(LOOK_EVERY_MS);
      }
    } catch {
      rest(replica);
      return false;
    }
  }

  return {
    async read(principal) {
      const usable = replicas.filter(({ restsUntil }) => restsUntil < performance.now());
      const replica = usable[(turn += 1) % usable.length];
      if (replica && (await reaches(replica, await written()))) {
        counts.onReplica += 1;
        return replica.tenantDatabase(principal);
      }
      counts.onPrimary += 1;
      return tenantDatabase(principal);
    },
    state: () => ({ usable: replicas.filter(({ restsUntil }) => restsUntil === 0).length, ...counts }),
    close,
  };
}

const REPLAYED = Prisma.sql`SELECT (pg_last_wal_replay_lsn() - '0/0')::text AS lsn WHERE pg_is_in_recovery()`;

function lsnOf(rows: unknown): bigint {
  const [row] = rows as { lsn: string | null }[];
  if (!row || row.lsn === null) throw new Error("it is no replica");
  return BigInt(row.lsn);
}

/** Throws StartupError for what is no replica of the primary: other servers' logs of writes have nothing to do with its. */
export async function refuseStranger({ number, db }: Pick<Replica, "number" | "db">, primary: Database): Promise<void> {
  const facts = async (of: Database) => {
    const [row] =
      (await of.$queryRaw`SELECT system_identifier::text AS system, pg_is_in_recovery() AS follows FROM pg_control_system()`) as {
        system: string;
        follows: boolean;
      }[];
    return row!;
  };
  const [own, other] = await Promise.all([facts(primary), facts(db)]);
  if (own.system === other.system && other.follows) return;
  throw new StartupError({
    what: `address ${number} of DATABASE_REPLICA_URLS cannot be used`,
    cause: other.follows ? "it follows another server than that of DATABASE_URL" : "it is no replica: it takes writes itself",
    fix: "name streaming replicas of DATABASE_URL's server, or unset DATABASE_REPLICA_URLS",
  });
}
