/** Where the gateway is, and the key to call it with: the variables that `customer-gateway` itself reads. */
export const url = `${process.env["GATEWAY_URL"] ?? "http://127.0.0.1:4000"}/graphql`;

const key = process.env["GATEWAY_KEY"];
if (!key) throw new Error("Set GATEWAY_KEY to a key of the gateway; examples/README.md says which.");

export const authorization = `Bearer ${key}`;
