import fc from "fast-check";
import { expect, test } from "vitest";
import { batchRow, caller, dataOf } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const key = await gateway.key();
const { batch } = caller(gateway, key);

let numbers = 0;

/** Signs of several scripts, with combining marks in any order, as people type and phones send them. */
const scripts = {
  arabic: "محمد عبد الله ءآأإؤئ\u064b\u064e\u0651\u0652",
  yoruba: "Ọláńrewájú ẹ̀kọ́ ṣé\u0300\u0301\u0323\u0304aeioun",
  chinese: "王小明歐陽娜娜龘𠮷",
  hangul: "각힣\u1100\u1161\u11a8ㄱ",
  devanagari: "क्षत्रिय नुक्ता\u093c\u094d",
  vietnamese: "Nguyễn Ước\u0302\u031b\u0309",
  emoji: "👩‍👩‍👧‍👦🇳🇬😀",
};

test("names of every script come back in NFC, whichever way they were typed", async () => {
  const name = fc
    .constantFrom(...Object.values(scripts))
    .chain((signs) => fc.array(fc.constantFrom(...Array.from(signs)), { minLength: 1, maxLength: 40 }))
    .map((signs) => signs.join(""));
  const form = fc.constantFrom("NFC", "NFD", "none");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, form), { minLength: 50, maxLength: 50 }), async (names) => {
      const rows = names.map(([text, typed]) => batchRow(++numbers, { lastname: `Ọ${typed === "none" ? text : text.normalize(typed)}` }));
      const { customerIds, failures } = await batch(rows);
      expect(failures).toEqual([]);
      const { body } = await gateway.query(
        key,
        "query ($ids: [ID!]) { customers(first: 100, filter: { ids: $ids }) { nodes { id lastname } } }",
        { ids: customerIds },
      );
      const byId = new Map(dataOf(body).nodes.map(({ id, lastname }: { id: string; lastname: string }) => [id, lastname]));
      expect(customerIds.map((id: string) => byId.get(id))).toEqual(names.map(([text]) => `Ọ${text}`.normalize("NFC").trim()));
    }),
    { numRuns: 10 },
  );
});
