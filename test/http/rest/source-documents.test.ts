import { describe, expect, test } from "vitest";
import { openGateway } from "../../support/gateway.ts";
import { rest } from "../../support/rest.ts";

/** The samples of the source documents, replayed: as they print them, with values where they print only types. */

const gateway = await openGateway();
const key = await gateway.key();
const call = rest(gateway, key);

/** "Batch Customer Onboarding". */
const ONBOARDING = {
  customers: [
    {
      clientRef: "cust_001",
      firstname: "John",
      lastname: "Doe",
      accountName: "John Doe",
      email: "john.doe@example.com",
      country: "NG",
      accountNumber: "1234567890",
      reference: "ref_001",
    },
  ],
};

/** "POST /v1/bank/customers", "Request Body", with a value for each `string`. */
const FULL_ROW = {
  clientRef: "cust_002",
  firstname: "Ada",
  lastname: "Example",
  middlename: "Grace",
  accountName: "Ada Grace Example",
  email: "ada@example.com",
  country: "NG",
  address: "1 Example Street",
  gender: "female",
  phone: "+2348031234567",
  accountNumber: "1234567891",
  reference: "ref_002",
};

const created = await call("POST", "/v1/bank/customers", ONBOARDING);
const [johnId] = created.body.data.data.customerIds as [string];
const second = await call("POST", "/v1/bank/customers", { customers: [FULL_ROW] });
const [adaId] = second.body.data.data.customerIds as [string];

const john = {
  id: johnId,
  accountName: "John Doe",
  gender: null,
  displayPicture: null,
  bankId: "alpha",
  phrase: expect.stringMatching(/^[a-z]+(-[a-z]+)+$/),
  country: "NG",
};
const ada = { ...john, id: adaId, accountName: "Ada Grace Example", gender: "female" };

describe("Customer Management", () => {
  test("POST /v1/bank/customers: 201 with the sample's members and no other", () => {
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      success: true,
      message: "Batch processed",
      statusCode: 201,
      data: {
        batchId: expect.stringMatching(/^bat_/),
        status: "COMPLETED",
        summary: { total: 1, successful: 1, failed: 0, duplicates: 0, invalidData: 0 },
        failures: [],
        failuresInline: true,
        inlineFailureLimit: 50,
        data: { createdCount: 1, customerIds: [johnId] },
      },
    });
    expect(second.body.data.summary.successful).toBe(1);
  });

  test("POST /v1/bank/customers that a worker processes: the sample with its message", async () => {
    const customers = Array.from({ length: 10 }, (_, index) => ({
      ...ONBOARDING.customers[0],
      clientRef: `later-${index}`,
      email: `later.${index}@example.com`,
      reference: `later-${index}`,
    }));
    const { status, body } = await call("POST", "/v1/bank/customers", { customers }, { prefer: "respond-async" });
    expect(status).toBe(201);
    expect(body).toEqual({
      success: true,
      message: "Batch processed, customers will reflect shortly",
      statusCode: 201,
      data: {
        batchId: expect.any(String),
        status: "PROCESSING",
        summary: { total: 10, successful: 0, failed: 0, duplicates: 0, invalidData: 0 },
        failures: [],
        failuresInline: true,
        inlineFailureLimit: 50,
        data: { createdCount: 0, customerIds: [] },
      },
    });
    const listed = () => call("GET", "/v1/bank/customers?sortBy=-createdAt&limit=100");
    await expect.poll(async () => (await listed()).body.length, { timeout: 60_000 }).toBe(12);
  });

  test("GET /v1/bank/customers/{customerId}, with the header of the sample", async () => {
    const { status, body } = await call("GET", `/v1/bank/customers/${johnId}`);
    expect(status).toBe(200);
    expect(body).toEqual({ statusCode: 200, success: true, message: "Customer retrieved successfully", data: john });
  });

  test("GET /v1/bank/customer by id, e-mail and phrase", async () => {
    const byId = await call("GET", `/v1/bank/customer?id=${adaId}`);
    expect(byId.body).toEqual({ statusCode: 200, success: true, message: "Customer retrieved successfully", data: ada });
    for (const query of ["email=ADA%40example.com", `phrase=${byId.body.data.phrase}`]) {
      expect((await call("GET", `/v1/bank/customer?${query}`)).body).toEqual(byId.body);
    }
  });

  test("GET /v1/bank/customers: a bare array", async () => {
    const { status, body } = await call("GET", `/v1/bank/customers?ids=${johnId},${adaId}&sortBy=accountName&limit=10&page=1`);
    expect(status).toBe(200);
    expect(body).toEqual([ada, john]);
  });

  test("PATCH /v1/bank/customer", async () => {
    const update = {
      firstname: "Johnny",
      middlename: "Q",
      lastname: "Doe",
      accountName: "Johnny Doe",
      address: "2 Example Street",
      phone: "+2348037654321",
      displayPicture: "https://example.com/john.png",
    };
    const { status, body } = await call("PATCH", "/v1/bank/customer", { id: johnId, update });
    expect(status).toBe(200);
    expect(body).toEqual({
      statusCode: 200,
      success: true,
      message: "Customer updated successfully",
      data: { id: johnId, email: "john.doe@example.com", phone: "+2348037654321" },
    });
    expect((await call("GET", `/v1/bank/customer?id=${johnId}`)).body.data).toMatchObject({
      accountName: "Johnny Doe",
      displayPicture: "https://example.com/john.png",
    });
  });

  test("the error codes of batches", async () => {
    const base = ONBOARDING.customers[0]!;
    const other = { ...base, email: "other@example.com", clientRef: "other", reference: "other" };
    const { status, body } = await call("POST", "/v1/bank/customers", {
      customers: [
        other,
        { ...other, email: "third@example.com" },
        { ...base, firstname: "" },
        base,
        { ...other, clientRef: "fourth", reference: "fourth", email: "no address" },
      ],
    });
    expect(status).toBe(201);
    expect(body.data.summary).toEqual({ total: 5, successful: 1, failed: 4, duplicates: 2, invalidData: 2 });
    expect(body.data.failures).toEqual([
      {
        index: 1,
        clientRef: "other",
        code: "DUPLICATE_IN_BATCH",
        message: "Row 0 of this batch has the same clientRef",
        field: "CLIENT_REF",
        firstIndex: 0,
      },
      {
        index: 2,
        clientRef: "cust_001",
        code: "INVALID_DATA",
        message: "firstname is required",
        issues: [{ field: "firstname", message: "is required" }],
      },
      {
        index: 3,
        clientRef: "cust_001",
        code: "EXISTING_CUSTOMER",
        message: "Customer with this email already exists",
        matchedOn: "EMAIL",
        customerId: johnId,
      },
      {
        index: 4,
        clientRef: "fourth",
        code: "VALIDATION_ERROR",
        message: expect.any(String),
        issues: [{ field: "email", message: expect.any(String) }],
      },
    ]);
  });
});

describe("Error Responses", () => {
  test("400 Bad Request, and what is wrong", async () => {
    const { status, body } = await call("PATCH", "/v1/bank/customer", { id: johnId, update: { firstname: null } });
    const { errors, ...sample } = body;
    expect(status).toBe(400);
    expect(sample).toEqual({ statusCode: 400, success: false, message: "Invalid customer data" });
    expect(errors).toEqual([{ field: "firstname", message: "is required" }]);
  });

  test("404 Not Found", async () => {
    for (const path of [`/v1/bank/customers/${crypto.randomUUID()}`, "/v1/bank/customer?phrase=none", "/v1/customers/none"]) {
      const { status, body } = await call("GET", path);
      expect([status, body]).toEqual([404, { statusCode: 404, success: false, message: "Customer not found" }]);
    }
  });

  test("409 Conflict", async () => {
    const { status, body } = await call("POST", "/v1/customers", {
      firstName: "John",
      lastName: "Doe",
      email: "John.Doe@example.com",
      phone: "+2348031111111",
    });
    expect([status, body]).toEqual([409, { statusCode: 409, success: false, message: "Customer with this email already exists" }]);
  });
});

describe("Customers", () => {
  test("create, get by id, reference and e-mail, update, blacklist, list", async () => {
    const made = await call("POST", "/v1/customers", {
      firstName: "Kofi",
      lastName: "Example",
      email: "kofi@example.com",
      phone: "020 000 0001",
      dialCode: "+233",
    });
    const customer = {
      id: expect.any(String),
      firstName: "Kofi",
      lastName: "Example",
      email: "kofi@example.com",
      phone: "+233200000001",
      dialCode: "+233",
      blacklist: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    };
    expect(made.status).toBe(201);
    expect(made.body).toEqual({ statusCode: 201, success: true, message: "Customer created successfully", data: customer });
    const { id } = made.body.data;

    const gotten = { statusCode: 200, success: true, message: "Customer retrieved successfully", data: made.body.data };
    for (const path of [id, id.toUpperCase(), "kofi%40example.com"]) {
      expect((await call("GET", `/v1/customers/${path}`)).body).toEqual(gotten);
    }
    expect((await call("GET", "/v1/customers/ref_002")).body.data).toMatchObject({ id: adaId, firstName: "Ada", email: "ada@example.com" });

    const updated = await call("PATCH", `/v1/customers/${id}`, {
      firstName: "Kwame",
      lastName: "Sample",
      phone: "+233200000002",
      email: "kwame@example.com",
    });
    expect(updated.body).toMatchObject({
      statusCode: 200,
      message: "Customer updated successfully",
      data: { id, firstName: "Kwame", lastName: "Sample", phone: "+233200000002", email: "kwame@example.com" },
    });
    expect(Object.keys(updated.body.data)).toEqual(Object.keys(customer));

    for (const blacklist of [true, false]) {
      const set = await call("PATCH", `/v1/customers/${id}/blacklist`, { blacklist });
      expect([set.status, set.body.data.blacklist, Object.keys(set.body.data)]).toEqual([200, blacklist, Object.keys(customer)]);
    }

    const { status, body } = await call("GET", "/v1/customers?page=1&take=1");
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["statusCode", "success", "message", "data", "meta"]);
    expect(body.data.map(Object.keys)).toEqual([Object.keys(customer)]);
    expect(Object.keys(body.meta)).toEqual(["page", "take", "itemCount", "pageCount", "hasPreviousPage", "hasNextPage"]);
    expect(body.meta).toMatchObject({ page: 1, take: 1, itemCount: body.meta.pageCount, hasPreviousPage: false, hasNextPage: true });
  });
});
