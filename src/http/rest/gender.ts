/** REST writes a gender in lower case, as the source documents do; GraphQL's enum has capitals. */
export const genderToRest = (gender: string) => gender.toLowerCase();

/** The same back, in any case as batches take it; anything that is no text stays, for GraphQL to refuse. */
export function withGenderOfRest(fields: unknown): unknown {
  if (fields === null || typeof fields !== "object" || !("gender" in fields) || typeof fields.gender !== "string") return fields;
  return { ...fields, gender: fields.gender.toUpperCase() };
}
