import { builder } from "../../graphql/builder.ts";
import { ASKED_FOR, ErrorInterface, example, GatewayFailure } from "../../graphql/failure.ts";
import { type Issue, IssueType } from "../../graphql/issue.ts";

/** A key that cannot be made: all reasons are named. */
export class InvalidApiKey extends GatewayFailure {
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super("INVALID_API_KEY", "The key cannot be made.");
    this.issues = issues;
  }
}

/** No such key of this bank and mode, nor of its merchants. */
export class ApiKeyNotFound extends GatewayFailure {
  constructor() {
    super("API_KEY_NOT_FOUND", "Key not found");
  }
}

builder.objectType(InvalidApiKey, {
  name: "InvalidApiKey",
  description: "The key cannot be made as asked.",
  interfaces: [ErrorInterface],
  ...example(() => new InvalidApiKey([ASKED_FOR])),
  fields: (t) => ({
    issues: t.field({ type: [IssueType], description: "Every reason.", resolve: ({ issues }) => [...issues] }),
  }),
});

builder.objectType(ApiKeyNotFound, {
  name: "ApiKeyNotFound",
  description: "Neither this bank nor a merchant of its has such a key in this mode. Another bank's answers exactly like none.",
  interfaces: [ErrorInterface],
  ...example(() => new ApiKeyNotFound()),
});
