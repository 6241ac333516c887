import { text } from "./parameters.ts";
import { CUSTOMER_BANKS, DEVICE_LOOKUP } from "./rest-documents.ts";
import { route } from "./route.ts";

/** The routes by which merchants find customers, of the source documents' "How do I find customers on Peere Network?". */
export const DISCOVERY_ROUTES = [
  route({
    name: "getCustomerBanks",
    method: "GET",
    path: "/v1/customer/banks",
    summary:
      "For merchants: the banks where the bearer of an e-mail address is a customer; an empty list for who is none, or did not consent.",
    document: CUSTOMER_BANKS,
    query: {
      email: { ...text("The e-mail address, in any case."), isRequired: true },
      entityId: text("The merchant that is asked for, by its id; a merchant's own key leaves it out."),
    },
    status: 200,
    message: "Customer banks retrieved successfully",
    shape: { kind: "list" },
  }),
  route({
    name: "lookUpDevice",
    method: "POST",
    path: "/v1/customer/device/lookup",
    summary:
      "For merchants trusted with it: the banks that linked a device to a customer; an empty list for a device that none has linked.",
    document: DEVICE_LOOKUP,
    status: 200,
    message: "Device lookup completed successfully",
    shape: { kind: "list" },
  }),
];
