import type { CodegenConfig } from "@graphql-codegen/cli";

// Types for the documents that the tests send as a client does: graphql(/* GraphQL */ `query Name { … }`).
export default {
  schema: "schema.graphql",
  documents: ["test/**/*.ts"],
  ignoreNoDocuments: true,
  silent: true,
  // Only calls of graphql() are typed: a test may well keep a malformed document in a plain string.
  // The cast is for skipIndent, which keeps the text as the test has it and which the types leave out.
  pluckConfig: { skipIndent: true, isGqlTemplateLiteral: () => false } as CodegenConfig["pluckConfig"],
  // What Node can run as it stands: types are imported as types, imports name their files.
  importExtension: ".ts",
  generates: {
    "test/generated/": {
      preset: "client",
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" }, fragmentMasking: false, skipIndexFile: true },
      config: {
        documentMode: "string",
        useTypeImports: true,
        enumType: "string-literal",
        strictScalars: true,
        scalars: {
          ID: "string",
          DateTime: "string",
          EmailAddress: "string",
          URL: "string",
          CountryCode: "string",
          JSONObject: "Record<string, unknown>",
        },
      },
    },
  },
} satisfies CodegenConfig;
