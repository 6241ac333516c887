import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../src/config.ts";
import { instructionsOf, isSent, readIgnore, readStages, variablesOf, wordsOf } from "./dockerfile.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const stages = readStages(join(ROOT, "Dockerfile"));
const production = instructionsOf(stages, "production");

interface Service {
  image: string;
  build?: string;
  user?: string;
  read_only: boolean;
  cap_drop: string[];
  cap_add?: string[];
  privileged?: boolean;
  security_opt: string[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  networks: string[];
  ports?: string[];
  secrets: string[];
  tmpfs: string[];
  volumes?: string[];
}
const compose = parse(read("compose.yaml"), { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  secrets: Record<string, { file: string }>;
};
const services = Object.entries(compose.services);

describe("the Dockerfile", () => {
  test("begins with the Node that the project brings, by its full version", () => {
    const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: Record<string, string> };
    expect(stages[0]!.from).toBe(`node:${devDependencies["node"]}-slim`);
    expect(stages.slice(1).filter(({ from }) => !stages.some(({ name }) => name === from))).toEqual([]);
  });

  test("ends as a user who is not root, by number", () => {
    expect(stages.at(-1)!.name).toBe("production");
    expect(production.findLast(({ name }) => name === "USER")!.rest).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test("installs production's packages alone in what the image takes, and runs no package's script", () => {
    const runs = stages.flatMap(({ name, instructions }) => instructions.flatMap((one) => (one.name === "RUN" ? [[name, one.rest]] : [])));
    expect(runs).toEqual([
      ["generated", "npm ci --ignore-scripts"],
      ["generated", "npx prisma generate"],
      ["packages", "npm ci --omit=dev --omit=optional --ignore-scripts"],
    ]);
  });

  test("asks its health by Node, and has Node itself as its first process, which gets the signals", () => {
    const health = wordsOf(production, "HEALTHCHECK");
    expect(health[0]).toBe("node");
    expect(health.at(-1)).toContain("/health/ready");
    expect(wordsOf(production, "ENTRYPOINT")[0]).toBe("node");
    expect(wordsOf(production, "CMD")).toEqual(["start"]);
  });

  test("is production's, and holds no secret", () => {
    expect(variablesOf(production)).toEqual({ NODE_ENV: "production", HOST: "0.0.0.0", PORT: "4000" });
    expect(stages.flatMap(({ instructions }) => instructions).filter(({ name }) => name === "ARG")).toEqual([]);
  });
});

test(".dockerignore sends the sources, and nothing that is secret or made on this machine", () => {
  const patterns = readIgnore(join(ROOT, ".dockerignore"));
  const paths = [
    "src/app.ts",
    "package-lock.json",
    ".env",
    "secrets/gateway.env",
    ".git/config",
    ".data/keyring",
    "node_modules/pg/package.json",
    "src/database/generated/client.ts",
    "test/start.test.ts",
  ];
  expect(paths.filter((path) => isSent(patterns, path))).toEqual(["src/app.ts", "package-lock.json"]);
});

describe("compose.yaml", () => {
  test.each(services)("locks %s", (_name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    expect(service.cap_add).toBeUndefined();
    expect(service.privileged).toBeUndefined();
    expect(service.tmpfs).toContain("/tmp");
    // The gateway's user is its image's; the others' would begin as root.
    if (!service.build) expect(service.user).toMatch(/^(postgres|redis)$/);
    expect(service.volumes?.join() ?? "").not.toContain("docker.sock");
  });

  test.each(services.filter(([, { build }]) => !build))("pins %s by version, and asks its health", (_name, { image, healthcheck }) => {
    expect(image).toMatch(/^\w+:\d+\.\d+(\.\d+)?$/);
    expect(healthcheck!.test[0]).toMatch(/^CMD/);
  });

  test("shows the gateway to this machine alone, and the others to the gateway alone", () => {
    expect(services.flatMap(([, { ports }]) => ports ?? [])).toEqual(["127.0.0.1:4000:4000"]);
    expect(compose.services["postgres"]!.networks).toEqual(["inside"]);
    expect(compose.services["redis"]!.networks).toEqual(["inside"]);
    expect(compose.networks["inside"]).toEqual({ internal: true });
  });

  test("has no secret in it: each is a file", () => {
    expect(read("compose.yaml")).not.toMatch(/\b(password|keyring|requirepass)\s*[:=]/i);
    const used = new Set(services.flatMap(([, service]) => service.secrets));
    expect([...used].sort()).toEqual(Object.keys(compose.secrets).sort());
  });

  test("reads the files that docs/docker.md makes, and the gateway can be started by its own", () => {
    const dir = mkdtempSync(join(tmpdir(), "customer-gateway-secrets-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const [, script] = /```sh\n(mkdir [^`]*)```/.exec(read("docs/docker.md"))!;
    execFileSync("sh", ["-euc", script!], { cwd: dir });
    expect(
      readdirSync(join(dir, "secrets"))
        .map((file) => `./secrets/${file}`)
        .sort(),
    ).toEqual(
      Object.values(compose.secrets)
        .map(({ file }) => file)
        .sort(),
    );
    expect(statSync(join(dir, "secrets")).mode & 0o777).toBe(0o700);

    const secret = (file: string) => readFileSync(join(dir, "secrets", file), "utf8");
    const env = parseEnv(secret("gateway.env")) as Record<string, string>;
    const config = readConfig({ ...variablesOf(production), ...compose.services["gateway"]!.environment, ...env });
    expect(config).toMatchObject({ production: true, rowLevelSecurity: true, graphiql: false });
    expect(new URL(config.databaseUrl!)).toMatchObject({ username: "gateway", password: secret("database-gateway"), hostname: "postgres" });
    expect(secret("redis.conf")).toContain(`requirepass ${new URL(config.redisUrl!).password}\n`);
  });
});
