import type { CustomerFieldName } from "../access/visibility.ts";
import { StartupError } from "../startup-error.ts";
import type { GatewayData, GatewayDocument, PatientGateway } from "./gateway-retry.ts";

/** A customer as the gateway answers it. */
export type ExportRow = Readonly<Partial<Record<CustomerFieldName, string | number | boolean | null>>>;

/** What comes of one request. */
export interface ExportPage {
  readonly rows: readonly ExportRow[];
  /** The fields that the key may not see, and what each needs. The same on every page. */
  readonly withheld: ReadonlyMap<string, string>;
}

interface CustomersPage {
  customers: { nodes: ExportRow[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/** As many as the gateway gives at once. Source: contract §3. */
const PAGE_ROWS = 100;

/**
 * The customers that a filter fits, page by page, newest first: under that order, those that come meanwhile are
 * neither skipped nor repeated. Throws what PatientGateway throws, and StartupError when a page shows less than the
 * one before, since the file would have holes.
 */
export async function* exportPages(
  gateway: PatientGateway,
  fields: readonly CustomerFieldName[],
  filter: object,
): AsyncGenerator<ExportPage> {
  const document: GatewayDocument<CustomersPage> = `query Export($after: String, $filter: CustomerFilter) {
    customers(first: ${PAGE_ROWS}, after: $after, filter: $filter) { nodes { ${fields.join(" ")} } pageInfo { hasNextPage endCursor } }
  }`;
  let first: ReadonlyMap<string, string> | undefined;
  let after: string | null = null;
  do {
    const answer: GatewayData<CustomersPage> = await gateway.call(document, JSON.stringify({ after, filter }));
    const { nodes, pageInfo } = answer.data.customers;
    const withheld = withheldOf(answer.extensions);
    first ??= withheld;
    if (nodes.length > 0 && [...withheld.keys()].some((field) => !first!.has(field))) {
      throw new StartupError({
        what: "the export cannot be finished",
        cause: "the key may see less than at its beginning",
        fix: "begin anew with a key that stays as it is",
      });
    }
    yield { rows: nodes, withheld };
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
}

/** What the answer says of withheld fields, by the names that the document asks for. */
function withheldOf(extensions: Record<string, unknown> | undefined): Map<string, string> {
  const entries = (extensions?.["visibility"] ?? []) as { path: string[]; requires: string }[];
  return new Map(entries.map(({ path, requires }) => [path.at(-1)!, requires]));
}
