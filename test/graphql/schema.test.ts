import { readFileSync } from "node:fs";
import { type ASTNode, type DocumentNode, isUnionType, Kind, parse, print, type TypeDefinitionNode, visit } from "graphql";
import { describe, expect, test } from "vitest";
import { CUSTOMER_FIELD_NAMES } from "../../src/access/visibility.ts";
import { printSdl } from "../../src/graphql/print-schema.ts";
import { schema } from "../../src/graphql/schema.ts";
import { CONTRACT } from "./contract.ts";

const sdl = readFileSync("schema.graphql", "utf8");
const document = parse(sdl);
const upperSnake = (name: string) => name.replace(/(?<!^)[A-Z]/g, (capital) => `_${capital}`).toUpperCase();

test("schema.graphql is what the code prints: npm run generate", () => expect(sdl).toBe(printSdl()));

test("everything is described", () => {
  const bare: string[] = [];
  const path: string[] = [];
  visit(document, {
    enter(node) {
      if (!("name" in node) || !("description" in node)) return;
      path.push(node.name!.value);
      if (!node.description?.value.trim()) bare.push(path.join("."));
    },
    leave(node) {
      if ("name" in node && "description" in node) path.pop();
    },
  });
  expect(bare).toEqual([]);
});

describe("the contract", () => {
  const ours = definitions(sdl);
  test.each([...definitions(CONTRACT)])("%s", (name, theirs) => {
    expect(ours.keys()).toContain(name);
    const mine = ours.get(name)!;
    expect(mine.kind).toBe(theirs.kind);
    const [has, wants] = [partsOf(mine), partsOf(theirs)];
    const isClosed = theirs.kind === Kind.UNION_TYPE_DEFINITION || theirs.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION;
    expect(isClosed ? has : has.filter((part) => wants.includes(part))).toEqual(wants);
  });

  test("a customer's fields are those of the visibility table, and the enum that names them", () => {
    const names = partsOf(ours.get("Customer")!).map((part) => /^\w+(?=\(|:)/.exec(part)?.[0]);
    expect(names.filter((name) => name && name !== "redactedFields")).toEqual([...CUSTOMER_FIELD_NAMES].sort());
    expect(partsOf(ours.get("CustomerField")!)).toEqual(CUSTOMER_FIELD_NAMES.map(upperSnake).sort());
  });
});

/** The types of a text by name, without descriptions, arguments in the order of the alphabet. */
function definitions(text: string): Map<string, TypeDefinitionNode> {
  const plain: DocumentNode = visit(parse(text), {
    leave: (node) => ({
      ...node,
      ...("description" in node && { description: undefined }),
      ...("arguments" in node && { arguments: [...(node.arguments ?? [])].sort((a, b) => (a.name.value < b.name.value ? -1 : 1)) }),
    }),
  });
  return new Map((plain.definitions as TypeDefinitionNode[]).map((node) => [node.name.value, node]));
}

/** All that a definition says, a line each, sorted: `customers(after: String, first: Int): CustomerConnection!`. */
function partsOf(definition: TypeDefinitionNode): string[] {
  const lists: ASTNode[][] = Object.values(definition).filter((part) => Array.isArray(part));
  return lists.flat().map(print).sort();
}

describe("what a mutation answers", () => {
  const errorTypes = schema.getPossibleTypes(schema.getType("Error") as never).map(({ name }) => name);
  const mutations = Object.values(schema.getMutationType()!.getFields());

  test.each(mutations.map((field) => [field.name, field] as const))("%s: one success, and errors that say so", (name, field) => {
    const verbNoun = name[0]!.toUpperCase() + name.slice(1);
    expect(field.args.map(({ name: argument, type }) => `${argument}: ${String(type)}`)).toEqual([`input: ${verbNoun}Input!`]);
    expect(String(field.type)).toBe(`${verbNoun}Result!`);
    const union = schema.getType(`${verbNoun}Result`);
    expect(isUnionType(union) && union.getTypes().filter((member) => !errorTypes.includes(member.name))).toHaveLength(1);
  });

  test("every error type has its code, and every code its type", () => {
    const codes = partsOf(definitions(sdl).get("ErrorCode")!);
    expect(codes).toEqual(errorTypes.map(upperSnake).sort());
  });

  test("members of a union share a field's name only at the same type, so that selections merge", () => {
    for (const union of Object.values(schema.getTypeMap()).filter(isUnionType)) {
      const types = new Map<string, string>();
      for (const { name, type } of union.getTypes().flatMap((member) => Object.values(member.getFields()))) {
        expect(types.get(name) ?? String(type), `${union.name}: ${name}`).toBe(String(type));
        types.set(name, String(type));
      }
    }
  });
});
