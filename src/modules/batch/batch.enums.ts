import type { BatchErrorCode, BatchStatus } from "../../database/generated/enums.ts";
import { builder } from "../../graphql/builder.ts";

export const BatchStatusEnum = builder.enumType("BatchStatus", {
  description: "How far a batch is.",
  values: {
    PROCESSING: { description: "Rows are pending." },
    COMPLETED: { description: "Every row was either created or refused, perhaps all refused." },
    FAILED: { description: "ALL_OR_NOTHING met a failure: nothing was written." },
  } satisfies Record<BatchStatus, object>,
});

export const BatchErrorCodeEnum = builder.enumType("BatchErrorCode", {
  description: "Why a row of a batch was refused.",
  values: {
    DUPLICATE_IN_BATCH: { description: "An earlier row of the batch has the same e-mail, clientRef or reference." },
    INVALID_DATA: { description: "A required field is missing or blank." },
    EXISTING_CUSTOMER: {
      description: "This bank already has a customer, or of a batch of merchants a merchant, with that e-mail, clientRef or reference.",
    },
    VALIDATION_ERROR: { description: "A format or a constraint is violated." },
  } satisfies Record<BatchErrorCode, object>,
});
