import type { Config } from "../../src/config.ts";
import { Keyring } from "../../src/crypto/keyring.ts";

/** One fixed keyring for all tests, so that what one process sealed another opens. */
export const TEST_KEYRING = new Keyring([Buffer.alloc(32, 7)]);

/** A gateway's configuration for a test. */
export function testConfig(changes: Partial<Config>): Config {
  return {
    host: "127.0.0.1",
    port: 0,
    workers: 1,
    databaseUrl: null,
    replicaUrls: [],
    redisUrl: null,
    rateLimitPoints: 2_000_000_000,
    costLimit: 2_000_000_000,
    lookupLimit: 2_000_000_000,
    discoveryLimit: 2_000_000_000,
    providerDiscoveryLimit: 2_000_000_000,
    metricsPort: null,
    otlpEndpoint: null,
    dataDir: ".data",
    keyring: TEST_KEYRING,
    jwtIssuers: [],
    corsOrigins: [],
    requestTimeoutMs: 60_000,
    maxRequests: 500,
    shutdownDelayMs: 0,
    shutdownTimeoutMs: 10_000,
    retentionDays: { inactiveCustomers: null, batches: null, tombstones: null },
    rowLevelSecurity: true,
    graphiql: true,
    webhooksMayBePrivate: true,
    production: false,
    logLevel: "silent",
    ...changes,
  };
}
