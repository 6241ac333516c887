import { mayReach, type Principal } from "../../access/principal.ts";
import { reaches } from "../../access/visibility.ts";
import { TIER_OF_EVENT } from "../../changes/outbox.ts";
import type { Visibility, WebhookEventType } from "../../database/generated/enums.ts";
import type { Issue } from "../../graphql/issue.ts";
import { refuseForbiddenHost } from "./webhook.address.ts";

/** What an endpoint is to be. */
export interface EndpointSettings {
  readonly url: string;
  readonly events: readonly WebhookEventType[];
  readonly visibility: Visibility;
}

/** What the gateway's operator allows. */
export interface WebhookRules {
  /** Plain HTTP, and addresses of this machine and of private networks. Outside production only. */
  readonly allowPrivate: boolean;
}

const MAX_URL = 2000;

/**
 * Why an endpoint cannot be so; empty when it can. An endpoint shows no more than the asking key may see, and is told of nothing that
 * tells more than it is shown. Where its host leads is judged again at each connection.
 */
export function endpointIssues(
  principal: Principal,
  { url, events, visibility }: EndpointSettings,
  { allowPrivate }: WebhookRules,
): Issue[] {
  const issues: Issue[] = [];
  const refuse = (field: string, message: string) => issues.push({ field, message });
  const problem = urlProblem(url, allowPrivate);
  if (problem) refuse("url", problem);
  if (!mayReach(principal, visibility)) refuse("visibility", "goes beyond what the asking key may see");
  if (events.length === 0) refuse("events", "must name one at least");
  if (events.includes("TEST")) refuse("events", "must not name TEST, which is sent when it is asked for");
  const beyond = [...new Set(events)].filter((event) => !reaches(visibility, TIER_OF_EVENT[event]));
  if (beyond.length > 0) refuse("events", `names what needs a visibility of ${TIER_OF_EVENT[beyond[0]!]}: ${beyond.join(", ")}`);
  return issues;
}

function urlProblem(text: string, allowPrivate: boolean): string | null {
  if (text.length > MAX_URL) return `must have at most ${MAX_URL} characters`;
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) return "must be an https:// URL";
  if (url.protocol === "http:" && !allowPrivate) return "must be an https:// URL";
  if (url.username || url.password) return "must hold no user name and no password";
  if (url.hash) return "must hold no fragment";
  try {
    if (!allowPrivate) refuseForbiddenHost(url.hostname);
  } catch {
    return "must lead to a public address";
  }
  return null;
}
