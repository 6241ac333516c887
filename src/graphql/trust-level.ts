import { TRUST, TRUST_LEVELS } from "../access/trust.ts";
import type { TrustLevel } from "../database/generated/enums.ts";
import { builder } from "./builder.ts";

export const TrustLevelEnum = builder.enumType("TrustLevel", {
  description: "What a merchant is trusted with by its provider; each level includes the ones before it.",
  values: Object.fromEntries(TRUST_LEVELS.map((level) => [level, { description: TRUST[level].summary }])) as Record<
    TrustLevel,
    { description: string }
  >,
});
