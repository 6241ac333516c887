import { beforeAll, describe, expect, test, vi } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";
import { insertMany } from "../../support/many-customers.ts";

// Much to insert or to ask: minutes on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** 10,000 customers in 20 moments and 25 names: every order is mostly ties. */
const gateway = await openGateway();
const key = await gateway.key();
const { create, update } = caller(gateway, key);
const START = Date.UTC(2026, 0, 1);
const NAMES = [
  ..."Ada Obi|ADA OBI|ada obi|Zoë|zoe|ZOË|Zoe\u0308|Ẹniọlá|Élodie|elodie|Ñandú|nandu|O'Neill|O Neill|Ólafur|ólafur|李 小龍|Ольга|ольга|Ωmega|~tilde|0 zero".split(
    "|",
  ),
  // Byte order and JavaScript's own part ways here: the first is greater in UTF-16, smaller in UTF-8.
  "\uFF21 wide",
  "\u{1F600} face",
  "\u{10428} deseret",
];

interface Original {
  id: string;
  name: string;
  createdAt: number;
}
const originals: Original[] = [];
const changed = new Set<string>();

beforeAll(async () => {
  for (let moment = 0; moment < 20; moment++) {
    const names = Array.from({ length: 500 }, (_, number) => NAMES[(number * 7 + moment) % NAMES.length]!);
    const createdAt = START + moment * 1000;
    const ids = await insertMany(
      gateway,
      {},
      new Date(createdAt),
      names.map((accountName) => ({ accountName })),
    );
    originals.push(...ids.map((id, index) => ({ id, name: names[index]!, createdAt })));
  }
});

const PAGE = /* GraphQL */ `
  query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: CustomerOrder) {
    customers(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
      nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;

/** Every id on the way through the list by pages of 100, in the list's own order, while others write. */
async function walk(backwards: boolean, orderBy: object | null, write: (page: number) => Promise<unknown>): Promise<string[]> {
  const pages: string[][] = [];
  let cursor: string | null = null;
  for (let more = true; more;) {
    const args: object = backwards ? { last: 100, before: cursor } : { first: 100, after: cursor };
    const [{ body }] = await Promise.all([gateway.query(key, PAGE, { ...args, orderBy }), write(pages.length)]);
    const { nodes, pageInfo } = dataOf(body);
    pages.push(nodes.map(({ id }: { id: string }) => id));
    cursor = backwards ? pageInfo.startCursor : pageInfo.endCursor;
    more = backwards ? pageInfo.hasPreviousPage : pageInfo.hasNextPage;
    expect(pages.length).toBeLessThan(200);
  }
  return (backwards ? pages.reverse() : pages).flat();
}

let written = 0;

/** A new customer, and another name for an old one from anywhere in the list, every fourth page. */
async function someoneWrites(page: number) {
  if (page % 4 !== 0) return;
  const number = (written += 1);
  const { firstname, lastname, email } = batchRow(100_000 + number);
  const made = await create({ firstname, lastname, email, country: "NG", accountName: NAMES[number % NAMES.length] });
  expect(made.__typename).toBe("Customer");
  const { id } = originals[(number * 1709) % originals.length]!;
  changed.add(id);
  expect((await update({ id, update: { accountName: `${NAMES[(number * 3) % NAMES.length]} ${number}` } })).__typename).toBe("Customer");
}

const known = new Map<string, Original>();
const onlyOriginals = (ids: string[]) => ids.filter((id) => known.has(id));
const byteOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const nameKey = ({ name }: Original) => name.normalize("NFC").toLowerCase();
const byId = (a: Original, b: Original) => byteOrder(a.id, b.id);
const ORDERS: Record<string, (a: Original, b: Original) => number> = {
  CREATED_AT: (a, b) => a.createdAt - b.createdAt || byId(a, b),
  // Who was not written since was last written when created.
  UPDATED_AT: (a, b) => a.createdAt - b.createdAt || byId(a, b),
  ACCOUNT_NAME: (a, b) => byteOrder(nameKey(a), nameKey(b)) || byId(a, b),
};

describe.each([
  ["forwards", false],
  ["backwards", true],
])("%s", (_name, backwards) => {
  beforeAll(() => originals.forEach((original) => known.set(original.id, original)));

  test("by default every one of the 10,000 comes exactly once, newest first, whatever is written meanwhile", async () => {
    const ids = onlyOriginals(await walk(backwards, null, someoneWrites));
    expect(ids).toEqual(originals.toSorted((a, b) => ORDERS["CREATED_AT"]!(b, a)).map(({ id }) => id));
  });

  test.each(Object.keys(ORDERS).flatMap((field) => ["ASC", "DESC"].map((direction) => [field, direction])))(
    "by %s %s every one that did not change comes exactly once, in order",
    async (field, direction) => {
      const ids = onlyOriginals(await walk(backwards, { field, direction }, someoneWrites));
      const sign = direction === "ASC" ? 1 : -1;
      const unchanged = originals.filter(({ id }) => !changed.has(id)).sort((a, b) => sign * ORDERS[field]!(a, b));
      expect(unchanged.length).toBeGreaterThan(9000);
      expect(ids.filter((id) => !changed.has(id))).toEqual(unchanged.map(({ id }) => id));
      // What never changes, the moment of creation, keeps everyone in place.
      if (field === "CREATED_AT") expect(new Set(ids).size).toBe(10_000);
    },
  );
});

test("the walks met writes", () => {
  expect(written).toBeGreaterThan(300);
  expect(changed.size).toBeGreaterThan(300);
});
