import { builder } from "../../graphql/builder.ts";
import { ErrorInterface, example, GatewayFailure } from "../../graphql/failure.ts";

/** A batch without rows, or with too many: nothing was written. */
export class InvalidBatch extends GatewayFailure {
  readonly maxRows: number;
  constructor(maxRows: number) {
    super("INVALID_BATCH", `A batch has 1 to ${maxRows} rows.`);
    this.maxRows = maxRows;
  }
}

builder.objectType(InvalidBatch, {
  name: "InvalidBatch",
  description: "The batch is empty or has too many rows. Nothing was written.",
  interfaces: [ErrorInterface],
  ...example(() => new InvalidBatch(500)),
  fields: (t) => ({
    maxRows: t.exposeInt("maxRows", { description: "The most rows that a batch may have." }),
  }),
});
