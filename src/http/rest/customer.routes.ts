import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../graphql/pagination.ts";
import { internationalPhone } from "./dial-code.ts";
import { page } from "./pages.ts";
import { oneOf, wholeNumber } from "./parameters.ts";
import {
  CREATE_CUSTOMER,
  ERASE_CUSTOMER,
  EXPORT_CUSTOMER,
  FIND_CUSTOMER,
  LIST_CUSTOMERS,
  SET_BLACKLIST,
  UPDATE_CUSTOMER,
} from "./rest-documents.ts";
import { type Given, route } from "./route.ts";

const ID = { id: "The customer's id." };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Each key that the text can be, in the order in which they are tried. Source: contract §5. */
function keysOf(key: string): Given[] {
  return [...(UUID.test(key) ? [{ id: key }] : []), ...(key.includes("@") ? [{ email: key }] : []), { reference: key }];
}

/** Reasons of an erasure as REST writes its words. */
const REASONS = { request: "REQUEST", consent_withdrawn: "CONSENT_WITHDRAWN", retention: "RETENTION", other: "OTHER" };

/** The routes of the source documents' "Customers". */
export const CUSTOMER_ROUTES = [
  route({
    name: "listCustomers",
    method: "GET",
    path: "/v1/customers",
    summary: "Customers, newest first, with where the page stands.",
    document: LIST_CUSTOMERS,
    query: {
      page: page("take"),
      take: wholeNumber("How many a page has.", { from: 1, to: MAX_PAGE_SIZE, usual: DEFAULT_PAGE_SIZE }),
    },
    size: "take",
    status: 200,
    message: "Customers retrieved successfully",
    shape: { kind: "page" },
  }),
  route({
    name: "getCustomer",
    method: "GET",
    path: "/v1/customers/{idOrReferenceOrEmail}",
    summary: "One customer by id, e-mail address or reference, tried in this order.",
    parts: { idOrReferenceOrEmail: "The customer's id, e-mail address or reference." },
    document: FIND_CUSTOMER,
    variables: ({ idOrReferenceOrEmail }) => keysOf(idOrReferenceOrEmail as string).map((by) => ({ by })),
    status: 200,
    message: "Customer retrieved successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "exportCustomer",
    method: "GET",
    path: "/v1/customers/{id}/export",
    summary: "All that is held on a customer, for the person to whom it belongs.",
    parts: ID,
    document: EXPORT_CUSTOMER,
    status: 200,
    message: "Customer data exported successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "createCustomer",
    method: "POST",
    path: "/v1/customers",
    summary: "Registers one customer.",
    document: CREATE_CUSTOMER,
    body: {
      dialCode: {
        type: ["string", "null"],
        description: "The country calling code of the phone, such as `+234`; with it the phone may be in national form.",
      },
    },
    variables: ({ dialCode, ...customer }) => ({ ...customer, phone: internationalPhone(customer["phone"], dialCode) }),
    status: 201,
    message: "Customer created successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "updateCustomer",
    method: "PATCH",
    path: "/v1/customers/{id}",
    summary: "Sets fields of a customer. What is left out stays as it is; null clears an optional field.",
    parts: ID,
    document: UPDATE_CUSTOMER,
    status: 200,
    message: "Customer updated successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "setBlacklist",
    method: "PATCH",
    path: "/v1/customers/{id}/blacklist",
    summary: "Puts a customer on the blacklist, or takes it off. Repeating it changes nothing.",
    parts: ID,
    document: SET_BLACKLIST,
    status: 200,
    message: (_data, { blacklist }) =>
      blacklist ? "Customer blacklisted successfully" : "Customer removed from the blacklist successfully",
    shape: { kind: "one" },
  }),
  route({
    name: "eraseCustomer",
    method: "DELETE",
    path: "/v1/customers/{id}",
    summary: "Destroys every personal value of a customer, for ever.",
    parts: ID,
    document: ERASE_CUSTOMER,
    query: { reason: oneOf("Why; `other` when it is left out.", REASONS) },
    status: 200,
    message: "Customer deleted successfully",
    shape: { kind: "one" },
  }),
];
