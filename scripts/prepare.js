// Runs after `npm ci`: makes the database client and the types of the tests' documents, each by a package that not every
// installation has. `npm ci --omit=dev` has only the first's; with `--omit=optional` too, neither, and src/database/generated
// comes from an installation that has it, as in the Dockerfile. Plain JavaScript, so that any Node can run it.
import { execSync } from "node:child_process";
import { existsSync } from "node:fs";

const root = new URL("..", import.meta.url);
const isThere = (path) => existsSync(new URL(path, root));
// npm has put node_modules/.bin first on the path.
const run = (command) => execSync(command, { cwd: root, stdio: "inherit" });

if (isThere("node_modules/prisma")) run("prisma generate");
if (isThere("node_modules/@graphql-codegen/cli")) run("graphql-codegen");
if (!isThere("src/database/generated/client.ts")) {
  console.warn(
    "src/database/generated is missing, and prisma, which makes it, is not installed. Fix: copy it from where `npm ci` has run.",
  );
}
