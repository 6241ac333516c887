import { expect, test } from "vitest";
import { caller, person, UPDATE } from "../../support/customers.ts";
import { openGateway } from "../../support/gateway.ts";

const gateway = await openGateway();
const { create, update, find, history } = caller(gateway, await gateway.key());

let people = 0;
const newCustomer = () => create(person(`version.${++people}`));

test("expectedVersion: an old one is a VersionConflict that names the current one, and nothing is written", async () => {
  const { id } = await newCustomer();
  expect(await update({ id, expectedVersion: 1, update: { state: "One" } })).toMatchObject({ version: 2 });
  for (const expectedVersion of [1, 3, 0, -1, 2 ** 31 - 1]) {
    expect(await update({ id, expectedVersion, update: { state: "Two" } })).toEqual({
      __typename: "VersionConflict",
      code: "VERSION_CONFLICT",
      message: "The customer was changed meanwhile: read it again.",
      currentVersion: 2,
    });
  }
  expect(await find({ id })).toMatchObject({ state: "One", version: 2 });
});

test("of 20 updates at once that expect the same version, exactly one wins", async () => {
  const { id } = await newCustomer();
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, number) => update({ id, expectedVersion: 1, update: { state: `State ${number}` } })),
  );
  const won = results.filter(({ __typename }) => __typename === "Customer");
  expect(won).toHaveLength(1);
  expect(results.filter(({ __typename, currentVersion }) => __typename === "VersionConflict" && currentVersion === 2)).toHaveLength(19);
  expect(await find({ id })).toMatchObject({ state: won[0].state, version: 2 });
});

test("20 updates at once without an expected version are all written, one version each", async () => {
  const { id } = await newCustomer();
  const results = await Promise.all(Array.from({ length: 20 }, (_, number) => update({ id, update: { state: `State ${number}` } })));
  for (const { __typename } of results) expect(__typename).toBe("Customer");
  expect((await find({ id })).version).toBe(21);
  const events = await history(id);
  expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort());
});

test("expectedVersion asks for a field: without EXTENDED it is FORBIDDEN_FIELD, and nothing is written", async () => {
  const { id } = await newCustomer();
  const low = await gateway.key({ scopes: ["customers:write"] });
  const extended = await gateway.key({ scopes: ["customers:write", "customers:read:extended"] });
  const cases = [
    [low, {}, "customers:read:extended"],
    [extended, { "X-Visibility": "standard" }, "X-Visibility"],
  ] as const;
  for (const [bearer, headers, requires] of cases) {
    for (const expectedVersion of [1, 2]) {
      const { body } = await gateway.query(bearer, UPDATE, { input: { id, expectedVersion, update: { state: "Kano" } } }, headers);
      expect(body.errors).toMatchObject([{ extensions: { code: "FORBIDDEN_FIELD", field: "Customer.version", requires } }]);
    }
  }
  expect((await find({ id })).version).toBe(1);
  const { body } = await gateway.query(low, UPDATE, { input: { id, expectedVersion: null, update: { state: "Kano" } } });
  expect(body.data.updateCustomer).toMatchObject({ id, state: null, version: null });
});
