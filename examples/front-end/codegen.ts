import { addTypenameSelectionDocumentTransform } from "@graphql-codegen/client-preset";
import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types for each document that stands in a call of graphql(), and `persisted-documents.json`, the manifest to push. */
export default {
  schema: "../schema.graphql",
  documents: ["front-end/*.ts"],
  importExtension: ".ts",
  generates: {
    "front-end/generated/": {
      preset: "client",
      // urql's cache goes by the types that answers name.
      documentTransforms: [addTypenameSelectionDocumentTransform],
      presetConfig: {
        persistedDocuments: { hashAlgorithm: "sha256" },
        fragmentMasking: false,
      },
      config: {
        useTypeImports: true,
        enumType: "string-literal",
        strictScalars: true,
        scalars: { ID: "string", DateTime: "string", EmailAddress: "string", URL: "string", CountryCode: "string", JSONObject: "object" },
      },
    },
  },
} satisfies CodegenConfig;
