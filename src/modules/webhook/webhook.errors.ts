import { builder } from "../../graphql/builder.ts";
import { ASKED_FOR, ErrorInterface, example, GatewayFailure } from "../../graphql/failure.ts";
import { type Issue, IssueType } from "../../graphql/issue.ts";

/** No such endpoint of this bank and mode. */
export class WebhookEndpointNotFound extends GatewayFailure {
  constructor() {
    super("WEBHOOK_ENDPOINT_NOT_FOUND", "Webhook endpoint not found");
  }
}

/** What cannot be done with an endpoint: all reasons are named. */
export class InvalidWebhookEndpoint extends GatewayFailure {
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super("INVALID_WEBHOOK_ENDPOINT", "The webhook endpoint cannot be so.");
    this.issues = issues;
  }
}

builder.objectType(WebhookEndpointNotFound, {
  name: "WebhookEndpointNotFound",
  description: "This bank has no such endpoint in this mode. Another bank's answers exactly like none.",
  interfaces: [ErrorInterface],
  ...example(() => new WebhookEndpointNotFound()),
});

builder.objectType(InvalidWebhookEndpoint, {
  name: "InvalidWebhookEndpoint",
  description: "The endpoint cannot be made, changed or used as asked.",
  interfaces: [ErrorInterface],
  ...example(() => new InvalidWebhookEndpoint([ASKED_FOR])),
  fields: (t) => ({ issues: t.field({ type: [IssueType], description: "Every reason.", resolve: ({ issues }) => [...issues] }) }),
});
