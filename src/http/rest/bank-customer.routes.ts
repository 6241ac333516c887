import { toEnumName } from "../../access/visibility.ts";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../graphql/pagination.ts";
import { withGenderOfRest } from "./gender.ts";
import { invalid } from "./invalid.ts";
import { page } from "./pages.ts";
import { oneOf, text, textList, wholeNumber } from "./parameters.ts";
import {
  CREATE_BANK_CUSTOMERS,
  FIND_BANK_CUSTOMER,
  LINK_DEVICE,
  LIST_BANK_CUSTOMERS,
  UNLINK_DEVICE,
  UPDATE_BANK_CUSTOMER,
} from "./rest-documents.ts";
import { type Given, route } from "./route.ts";

/** `createdAt` and `-createdAt`, and so on, as orders. */
const SORTS = Object.fromEntries(
  ["createdAt", "updatedAt", "accountName"].flatMap((name) => [
    [name, { field: toEnumName(name), direction: "ASC" }],
    [`-${name}`, { field: toEnumName(name), direction: "DESC" }],
  ]),
);

const KEYS = ["id", "email", "phrase"];

/** The routes of the source documents' "Customer Management". */
export const BANK_CUSTOMER_ROUTES = [
  route({
    name: "getBankCustomer",
    method: "GET",
    path: "/v1/bank/customer",
    summary: "One customer of the bank, by exactly one of id, email and phrase.",
    document: FIND_BANK_CUSTOMER,
    query: {
      id: text("The customer's id."),
      email: text("The customer's e-mail address, in any case."),
      phrase: text("The customer's phrase."),
    },
    variables: (given) => {
      const keys = KEYS.filter((name) => given[name] !== undefined);
      if (keys.length !== 1) throw invalid([{ field: null, message: `exactly one of ${KEYS.join(", ")} is required` }]);
      return { by: given };
    },
    status: 200,
    message: "Customer retrieved successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "getBankCustomerById",
    method: "GET",
    path: "/v1/bank/customers/{id}",
    summary: "One customer of the bank, by id.",
    parts: { id: "The customer's id." },
    document: FIND_BANK_CUSTOMER,
    variables: ({ id }) => ({ by: { id } }),
    status: 200,
    message: "Customer retrieved successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "listBankCustomers",
    method: "GET",
    path: "/v1/bank/customers",
    summary: "Customers of the bank, newest first unless sorted otherwise; a bare array.",
    document: LIST_BANK_CUSTOMERS,
    query: {
      ids: textList("Only customers with one of these ids."),
      phrases: textList("Only customers with one of these phrases."),
      sortBy: oneOf("What to sort by, ascending; with `-` before it, descending. It takes a key that may see the field.", SORTS),
      limit: wholeNumber("How many a page has.", { from: 1, to: MAX_PAGE_SIZE, usual: DEFAULT_PAGE_SIZE }),
      page: page("limit"),
    },
    size: "limit",
    status: 200,
    message: "",
    shape: { kind: "bare" },
  }),
  route({
    name: "createBankCustomers",
    method: "POST",
    path: "/v1/bank/customers",
    summary: "Registers up to 500 customers at once; each row has one outcome. `Prefer: respond-async` leaves them to a worker.",
    document: CREATE_BANK_CUSTOMERS,
    status: 201,
    message: ({ status }: Given) => (status === "PROCESSING" ? "Batch processed, customers will reflect shortly" : "Batch processed"),
    shape: { kind: "one", nest: { data: ["createdCount", "customerIds"] } },
  }),
  route({
    name: "updateBankCustomer",
    method: "PATCH",
    path: "/v1/bank/customer",
    summary: "Sets fields of a customer of the bank. What is left out stays as it is; null clears an optional field.",
    document: UPDATE_BANK_CUSTOMER,
    variables: ({ id, update }) => ({ id, update: withGenderOfRest(update) }),
    status: 200,
    message: "Customer updated successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "linkDevice",
    method: "POST",
    path: "/v1/bank/customer/device/link",
    summary: "Links a device to a customer of the bank. Repeating it changes nothing.",
    document: LINK_DEVICE,
    status: 200,
    message: "Device linked successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "unlinkDevice",
    method: "POST",
    path: "/v1/bank/customer/device/unlink",
    summary: "Takes a device off a customer of the bank. Repeating it changes nothing.",
    document: UNLINK_DEVICE,
    status: 200,
    message: "Device unlinked successfully",
    shape: { kind: "one" },
  }),
];
