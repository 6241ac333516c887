import { distance } from "fastest-levenshtein";
import { z } from "zod";
import type { JwtIssuer } from "./access/jwt-issuers.ts";
import { type Keyring, parseKeyring } from "./crypto/keyring.ts";
import { StartupError } from "./startup-error.ts";
import { type LogLevel, VARIABLES } from "./variables.ts";

/** Variables of this name family that other parts of the gateway read: the command line's. */
const OTHER_VARIABLES = ["GATEWAY_URL", "GATEWAY_KEY"];

/** What the gateway was told to do, checked. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** How many processes serve. */
  readonly workers: number;
  /** Null: the embedded database. */
  readonly databaseUrl: string | null;
  /** Empty: all is read from the primary. */
  readonly replicaUrls: readonly string[];
  /** Null: limits are this process's own. */
  readonly redisUrl: string | null;
  /** Points a minute and key. */
  readonly rateLimitPoints: number;
  /** Points a request. */
  readonly costLimit: number;
  /** Look-ups by a known value, an hour and key. */
  readonly lookupLimit: number;
  /** Questions of where somebody is a customer, an hour and merchant. */
  readonly discoveryLimit: number;
  /** The same, an hour, provider and mode. */
  readonly providerDiscoveryLimit: number;
  /** Null: no metrics are served. */
  readonly metricsPort: number | null;
  /** Null: no traces are kept. */
  readonly otlpEndpoint: string | null;
  readonly dataDir: string;
  /** Null: development keeps one of its own in dataDir. */
  readonly keyring: Keyring | null;
  /** Empty: API keys only. */
  readonly jwtIssuers: readonly JwtIssuer[];
  /** Empty: no other site's scripts may call. `*`: all may. */
  readonly corsOrigins: readonly string[];
  readonly requestTimeoutMs: number;
  /** How many requests run at once. */
  readonly maxRequests: number;
  readonly shutdownDelayMs: number;
  readonly shutdownTimeoutMs: number;
  /** How long things are kept, in days; null: for ever. */
  readonly retentionDays: {
    readonly inactiveCustomers: number | null;
    readonly batches: number | null;
    readonly tombstones: number | null;
  };
  readonly rowLevelSecurity: boolean;
  readonly graphiql: boolean;
  readonly webhooksMayBePrivate: boolean;
  readonly production: boolean;
  readonly logLevel: LogLevel;
}

/**
 * Reads the environment, and what the command line says of a variable, which wins. Throws StartupError for a malformed variable, for one whose name is a slip of a
 * known one, and for what production must not run with; never with a variable's value in it.
 */
export function readConfig(
  env: Record<string, string | undefined> = process.env,
  options: { readonly [variable in keyof typeof VARIABLES]?: string | undefined } = {},
): Config {
  refuseMisspelt(env);
  const said = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const parsed = z.object(VARIABLES).safeParse({ ...env, ...said });
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    throw new StartupError({
      what: `the variable ${String(path[0])} is malformed`,
      cause: `${placeIn(path)} ${message}`,
      fix: "set it right, or unset it for its default; the README lists every variable",
    });
  }
  const { HOST, PORT, DATABASE_URL, DATA_DIR, GATEWAY_KEYRING, JWT_ISSUERS, ROW_LEVEL_SECURITY, GRAPHIQL, NODE_ENV, LOG_LEVEL } =
    parsed.data;
  const corsOrigins = parsed.data.CORS_ORIGINS ?? [];
  const production = NODE_ENV === "production";
  if (production && !GATEWAY_KEYRING) refuseInProduction("GATEWAY_KEYRING", "without it, keys for encryption would lie beside the data");
  if (production && !DATABASE_URL) refuseInProduction("DATABASE_URL", "the embedded database can lose acknowledged writes in a power cut");
  if (production && corsOrigins.includes("*")) {
    throw new StartupError({
      what: "production refuses CORS_ORIGINS=*",
      cause: "the scripts of any site could call the gateway with whatever key they are given",
      fix: "list the origins of your own front ends, separated by commas",
    });
  }
  if (parsed.data.DATABASE_REPLICA_URLS && !DATABASE_URL) {
    throw new StartupError({
      what: "DATABASE_REPLICA_URLS cannot be used",
      cause: "the embedded database has no replicas",
      fix: "set DATABASE_URL, or unset DATABASE_REPLICA_URLS",
    });
  }
  if (PORT !== 0 && parsed.data.METRICS_PORT === PORT) {
    throw new StartupError({
      what: "METRICS_PORT cannot be used",
      cause: "it is the same as PORT, and metrics ask for no key",
      fix: "give METRICS_PORT a port of its own, which only Prometheus reaches",
    });
  }
  const webhooksMayBePrivate = parsed.data.WEBHOOK_PRIVATE_ADDRESSES === "on";
  if (production && webhooksMayBePrivate) {
    throw new StartupError({
      what: "production refuses WEBHOOK_PRIVATE_ADDRESSES=on",
      cause: "whoever makes a webhook endpoint could have the gateway call what only this network reaches",
      fix: "unset WEBHOOK_PRIVATE_ADDRESSES",
    });
  }
  return {
    host: HOST,
    port: PORT,
    workers: parsed.data.WORKERS,
    databaseUrl: DATABASE_URL ?? null,
    replicaUrls: parsed.data.DATABASE_REPLICA_URLS ?? [],
    redisUrl: parsed.data.REDIS_URL ?? null,
    rateLimitPoints: parsed.data.RATE_LIMIT_POINTS,
    costLimit: parsed.data.COST_LIMIT,
    lookupLimit: parsed.data.LOOKUP_LIMIT,
    discoveryLimit: parsed.data.DISCOVERY_LIMIT,
    providerDiscoveryLimit: parsed.data.PROVIDER_DISCOVERY_LIMIT,
    metricsPort: parsed.data.METRICS_PORT ?? null,
    otlpEndpoint: parsed.data.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    dataDir: DATA_DIR,
    keyring: GATEWAY_KEYRING ? readKeyring(GATEWAY_KEYRING) : null,
    jwtIssuers: JWT_ISSUERS ?? [],
    corsOrigins,
    requestTimeoutMs: parsed.data.REQUEST_TIMEOUT_MS,
    maxRequests: parsed.data.MAX_REQUESTS,
    shutdownDelayMs: parsed.data.SHUTDOWN_DELAY_MS,
    shutdownTimeoutMs: parsed.data.SHUTDOWN_TIMEOUT_MS,
    retentionDays: {
      inactiveCustomers: parsed.data.RETENTION_INACTIVE_CUSTOMER_DAYS ?? null,
      batches: parsed.data.RETENTION_BATCH_DAYS ?? null,
      tombstones: parsed.data.RETENTION_TOMBSTONE_DAYS ?? null,
    },
    rowLevelSecurity: ROW_LEVEL_SECURITY === undefined ? production : ROW_LEVEL_SECURITY === "on",
    webhooksMayBePrivate,
    graphiql: GRAPHIQL === undefined ? !production : GRAPHIQL === "on",
    production,
    logLevel: LOG_LEVEL ?? (production ? "info" : "warn"),
  };
}

/** Where in a variable the fault is: `it`, or for a list of objects `entry 1's bank.value`. */
function placeIn([, index, ...fields]: PropertyKey[]): string {
  if (typeof index !== "number") return "it";
  return `entry ${index + 1}${fields.length > 0 ? `'s ${fields.join(".")}` : ""}`;
}

function readKeyring(text: string): Keyring {
  try {
    return parseKeyring(text);
  } catch (error) {
    throw new StartupError({
      what: "the variable GATEWAY_KEYRING is malformed",
      cause: (error as Error).message,
      fix: "make a key with `openssl rand -base64 32` and put it in front, separated by a comma",
    });
  }
}

function refuseInProduction(name: string, cause: string): never {
  throw new StartupError({
    what: `production needs the variable ${name}`,
    cause,
    fix: `set ${name}, or NODE_ENV=development to try things out`,
  });
}

/** A slip in a name would leave a default in force that the operator believes to have changed. */
function refuseMisspelt(env: Record<string, string | undefined>): void {
  const known = [...Object.keys(VARIABLES), ...OTHER_VARIABLES];
  for (const name of Object.keys(env)) {
    if (known.includes(name)) continue;
    const meant = known.find((other) => other.length >= 8 && distance(name.toUpperCase(), other) <= 2);
    if (!meant && !name.startsWith("GATEWAY_")) continue;
    throw new StartupError({
      what: `the variable ${name} is unknown`,
      cause: meant ? `it looks like ${meant}` : "no variable of the gateway has this name",
      fix: meant ? `rename it to ${meant}, or unset it` : "unset it; the README lists every variable",
    });
  }
}
