import { setTimeout as sleep } from "node:timers/promises";
import { authorization, url } from "../settings.ts";

export interface Answer<Data> {
  data?: Data;
  errors?: { message: string; extensions: { code: string } }[];
}

/**
 * Runs a registered document. When the gateway answers 429, waits as long as its Retry-After says and sends the same again:
 * for a mutation, give it an idempotency key, so that it runs once however often it is sent. Throws what cannot be mended by waiting.
 */
export async function call<Data>(documentId: string, variables: object): Promise<Data> {
  for (;;) {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify({ documentId, variables }),
    });
    if (response.status === 429) {
      await response.body?.cancel();
      const seconds = Number(response.headers.get("retry-after"));
      console.log(`429: waiting ${seconds} s, as told`);
      await sleep(seconds * 1000);
      continue;
    }
    const { data, errors } = (await response.json()) as Answer<Data>;
    if (!data || errors) throw new Error(errors?.map(({ message, extensions }) => `${extensions.code}: ${message}`).join("\n"));
    return data;
  }
}
