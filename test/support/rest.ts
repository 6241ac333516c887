import type { TestGateway } from "./gateway.ts";

/** A REST answer, read. */
export interface RestAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** Undefined: the answer has no body. */
  body: any;
}

/** Calls REST routes as one bearer: `send("PATCH", "/v1/customers/…", {…})`. */
export function rest(gateway: TestGateway, key: string | null, headers: Record<string, string> = {}) {
  return async (method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<RestAnswer> => {
    const response = await gateway.send(path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
        ...more,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === "" ? undefined : JSON.parse(text) };
  };
}
