import { isIPv4 } from "node:net";
import type { HttpRequest } from "./request.ts";

/** Whether a host, by name or address (IPv6 with or without brackets), can only be this machine itself. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name === "::1" || name === "[::1]" || (isIPv4(name) && name.startsWith("127."));
}

/** Headers that a proxy adds: whoever asks is then somewhere else. */
const FORWARDED = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host"];

/**
 * Whether the sender named this machine as the host it wanted. Another site's name that was made to resolve
 * here (DNS rebinding) is in the Host header, so that site's scripts do not pass; nor does what came by a proxy.
 */
export function namesLoopback({ headers }: HttpRequest): boolean {
  const host = /^(.*?)(?::\d+)?$/.exec(headers.get("host") ?? "")?.[1] ?? "";
  return isLoopback(host) && !FORWARDED.some((name) => headers.has(name));
}
