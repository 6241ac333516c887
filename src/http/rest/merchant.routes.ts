import { CREATE_MERCHANTS, SET_TRUST_LEVEL } from "./merchant-documents.ts";
import { type Given, route } from "./route.ts";

const INVALID = "Invalid merchant data";

/** The routes of the source documents' "Provider Merchant Migration". */
export const MERCHANT_ROUTES = [
  route({
    name: "createMerchants",
    method: "POST",
    path: "/v1/provider/merchants",
    summary: "Registers up to 500 merchants at once; each row has one outcome. `Prefer: respond-async` leaves them to a worker.",
    document: CREATE_MERCHANTS,
    invalid: INVALID,
    status: 201,
    message: ({ status }: Given) => (status === "PROCESSING" ? "Batch processed, merchants will reflect shortly" : "Batch processed"),
    shape: { kind: "one", nest: { data: ["createdCount", "merchantIds"] } },
  }),
  route({
    name: "setTrustLevel",
    method: "PATCH",
    path: "/v1/provider/merchants/{id}/trust-level",
    summary: "Sets what a merchant is trusted with. Repeating it changes nothing.",
    parts: { id: "The merchant's id." },
    document: SET_TRUST_LEVEL,
    invalid: INVALID,
    // In any case, as batches take a gender; anything that is no text stays, for GraphQL to refuse.
    variables: ({ id, trustLevel }) => ({ id, trustLevel: typeof trustLevel === "string" ? trustLevel.toUpperCase() : trustLevel }),
    status: 200,
    message: "Trust level updated successfully",
    shape: { kind: "one" },
  }),
];
