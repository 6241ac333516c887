import type { GraphQLResolveInfo } from "graphql";
import { lacking, type Requirement } from "../access/requirement.ts";
import type { Context } from "../context.ts";
import { builder } from "./builder.ts";
import { forbidden } from "./errors.ts";
import { facts } from "./field-facts.ts";
import { fromGlobalId } from "./global-id.ts";

type Load = (id: string, context: Context, info: GraphQLResolveInfo) => Promise<object | null>;

/** Types by the prefix of their global ids. A Map, so that no id can name a property. */
const types = new Map<string, { typename: string; requires: Requirement; load: Load }>();

/** Anything with a global id. */
export const nodeInterface = builder.interfaceRef<object>("Node").implement({
  description: "Anything with a global id. A customer's is a bare UUID; every other type's has a prefix that names the type.",
  fields: (t) => ({
    id: t.id({
      description: "The global id.",
      resolve: () => {
        throw new Error("each type has its own");
      },
    }),
  }),
});

/**
 * Makes a type loadable by `node`, for who meets `requires`. The prefix is empty for customers alone. `load`
 * answers null for what does not exist here.
 */
export function registerNode(prefix: string, typename: string, requires: Requirement, load: Load): void {
  types.set(prefix, { typename, requires, load });
}

/** The type that a global id names, and the UUID in it; null for what is no id of any type. */
function typeOf(id: string) {
  const prefix = id.includes("_") ? id.slice(0, id.indexOf("_")) : "";
  const type = types.get(prefix);
  const uuid = fromGlobalId(prefix, id);
  return type && uuid ? { ...type, uuid } : null;
}

builder.queryField("node", (t) =>
  t.field({
    type: nodeInterface,
    nullable: true,
    description: "Anything by its global id; null when there is nothing of that id here.",
    args: { id: t.arg.id({ required: true, description: "The global id." }) },
    extensions: facts({ names: ({ id }: { id: string }) => typeOf(id) }),
    resolve: async (_root, { id }, context, info) => {
      const type = typeOf(id);
      if (!type) return null;
      const lacks = lacking(context.principal, type.requires);
      if (lacks !== null) throw forbidden(lacks);
      const row = await type.load(type.uuid, context, info);
      return row && Object.assign(row, { __typename: type.typename });
    },
  }),
);
