import { z } from "zod";
import { jwtIssuersSchema } from "./access/jwt-issuers.ts";
import { address, addresses, days, json, limit, milliseconds, port, variable, workers } from "./variable-forms.ts";
import { corsOriginsSchema } from "./http/cors-origins.ts";

const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Every variable that the gateway reads: its form, its default and what it means. The README's table
 * is printed from it (`node src/variables.ts`). Source: contract §6.
 */
export const VARIABLES = {
  HOST: variable(
    z
      .string()
      .regex(/^[\w.:-]+$/, "must be a host name or an address")
      .default("127.0.0.1"),
  ).describe("The address to listen on."),
  PORT: variable(port.default(4000)).describe("The port to listen on. 0: any free one."),
  WORKERS: variable(workers.default(1)).describe(
    "How many processes serve on `PORT`, on PostgreSQL; `auto`: one a core. `start --workers` says the same. docs/scale.md says what each needs.",
  ),
  DATABASE_URL: variable(address("postgres", "postgresql").optional()).describe(
    "PostgreSQL. `?connection_limit=10` sets the size of the pool, `&pgbouncer=true` says that PgBouncer stands between, in transaction mode. None: the embedded database under `DATA_DIR`.",
  ),
  DATABASE_REPLICA_URLS: variable(addresses("postgres", "postgresql").optional()).describe(
    "Streaming replicas of `DATABASE_URL`'s server, separated by commas, that queries may read from; each may say `?connection_limit=`. A read is never older than the primary. None: all is read there.",
  ),
  REDIS_URL: variable(address("redis", "rediss").optional()).describe(
    "Redis, where several gateways keep their rate limits together. None: each process limits by itself.",
  ),
  RATE_LIMIT_POINTS: variable(limit(100_000)).describe("How many points a key may spend a minute. docs/limits.md says what costs what."),
  COST_LIMIT: variable(limit(20_000)).describe("How many points one request may cost."),
  LOOKUP_LIMIT: variable(limit(1000)).describe(
    "How many customers a key may look up an hour by a value that it knows already: e-mail, reference or clientRef.",
  ),
  DISCOVERY_LIMIT: variable(limit(100)).describe(
    "How often an hour may be asked for a merchant where somebody is a customer, by e-mail or device, whoever asks for it; PREMIUM merchants may more often.",
  ),
  PROVIDER_DISCOVERY_LIMIT: variable(limit(2000)).describe(
    "The same for all merchants of a provider together, in each mode: however many it registers and whatever it trusts them with.",
  ),
  METRICS_PORT: variable(port.optional()).describe(
    "The port that tells metrics to Prometheus, at `/metrics`, on `HOST`. 0: any free one. None: no metrics are told.",
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(address("http", "https").optional()).describe(
    "The OpenTelemetry collector that traces are sent to, by OTLP over HTTP, e.g. `http://127.0.0.1:4318`; docs/observe.md says what is in them. None: no traces.",
  ),
  DATA_DIR: variable(
    z
      .string()
      .refine((text) => !text.includes("\0"), "must be a path")
      .default(".data"),
  ).describe("The embedded database, `dev-keys.json` and development's keyring."),
  GATEWAY_KEYRING: variable(z.string().optional()).describe(
    "The secret keys, newest first, separated by commas: each base64 of at least 32 random bytes. Keys for cursors, hashes and " +
      "encryption are derived from them. `kept:` before one: it opens nothing more and only recognises the hashes of the blacklist and the audit; docs/access.md says how keys rotate. None: development makes one in `DATA_DIR`, production refuses to start.",
  ),
  JWT_ISSUERS: variable(json.pipe(jwtIssuersSchema).optional()).describe(
    "Issuers of JWTs for staff, as a JSON list; docs/access.md shows one. None: API keys only.",
  ),
  CORS_ORIGINS: variable(corsOriginsSchema.optional()).describe(
    "Sites whose scripts may call the gateway from browsers: origins such as `https://app.example.com`, separated by commas. `*`: any site, refused in production. None: no other site.",
  ),
  REQUEST_TIMEOUT_MS: variable(
    z
      .string()
      .regex(/^[1-9]\d{2,6}$/, "must be a whole number from 100 to 9999999")
      .transform(Number)
      .default(20_000),
  ).describe("How long a query or a mutation may take, in milliseconds; then its SQL is cancelled and the answer is TIMEOUT."),
  MAX_REQUESTS: variable(limit(500)).describe(
    "How many requests a process runs at once; one more is answered UNAVAILABLE at once, so that those are still fast.",
  ),
  SHUTDOWN_DELAY_MS: variable(milliseconds.default(0)).describe(
    "How long a stop serves on, with `/health/ready` at 503, before the port closes: as long as a balancer takes to notice.",
  ),
  SHUTDOWN_TIMEOUT_MS: variable(milliseconds.default(10_000)).describe(
    "How long a stop then waits for requests under way, before it cuts them off.",
  ),
  RETENTION_INACTIVE_CUSTOMER_DAYS: variable(days.optional()).describe(
    "Customers to whom nobody has written for so many days are erased, but for those who are blacklisted; docs/privacy.md says what to think of first. None: they stay.",
  ),
  RETENTION_BATCH_DAYS: variable(days.optional()).describe(
    "For how many days a finished batch's record and its failures are kept. None: for ever.",
  ),
  RETENTION_TOMBSTONE_DAYS: variable(days.optional()).describe(
    "For how many days what is left of an erased customer is kept: its tombstone and its history. Longer than any backup. None: for ever.",
  ),
  ROW_LEVEL_SECURITY: variable(z.enum(["on", "off"], "must be on or off").optional()).describe(
    "Whether PostgreSQL itself also holds requests to their bank and mode. Default: `on` in production, else `off`; it costs a transaction a read.",
  ),
  WEBHOOK_PRIVATE_ADDRESSES: variable(z.enum(["on", "off"], "must be on or off").default("off")).describe(
    "Whether webhooks may go to this machine and to private networks, and by plain HTTP, to try them out. Refused in production.",
  ),
  GRAPHIQL: variable(z.enum(["on", "off"], "must be on or off").optional()).describe(
    "Whether browsers get GraphiQL at `/graphql`, for staff. Default: `off` in production, else `on`.",
  ),
  NODE_ENV: variable(
    z.enum(["development", "test", "production"], "must be development, test or production").default("development"),
  ).describe("`production` refuses what is fit for development only."),
  LOG_LEVEL: variable(z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`).optional()).describe(
    "The least severe log lines to print. Default: `info` in production, else `warn`.",
  ),
};

/** The README's table of variables. */
export function printVariables(): string {
  const rows = Object.entries(VARIABLES).map(([name, type]) => {
    const parsed = type.safeParse(undefined);
    const { data } = parsed;
    const fallback = typeof data === "string" || typeof data === "number" ? `\`${data}\`` : "none";
    return `| \`${name}\` | ${fallback} | ${type.description} |`;
  });
  return ["| variable | default | means |", "|---|---|---|", ...rows].join("\n");
}

if (import.meta.main) console.log(printVariables());
