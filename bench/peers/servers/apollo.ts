// Apollo Server with plain Prisma: each resolver asks for what it is about.

import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "../../../src/database/generated/client.ts";
import { TYPE_DEFS } from "./schema.ts";
import { CONNECTIONS, DATABASE_URL, say } from "./serve.ts";

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: DATABASE_URL, max: CONNECTIONS }) });
const mode = "SANDBOX" as const;

interface Row {
  id: string;
  bankId: string;
}

const server = new ApolloServer({
  typeDefs: TYPE_DEFS,
  resolvers: {
    Query: {
      customer: (_root: unknown, { bank, id }: { bank: string; id: string }) =>
        prisma.customer.findUnique({ where: { bankId_mode_id: { bankId: bank, mode, id } } }),
      customers: async (_root: unknown, { bank, first }: { bank: string; first: number }) => ({
        nodes: await prisma.customer.findMany({
          where: { bankId: bank, mode },
          orderBy: [{ createdAt: "desc" }, { id: "desc" }],
          take: first,
        }),
      }),
      search: async (_root: unknown, { bank, word, first }: { bank: string; word: string; first: number }) => ({
        nodes: await prisma.customer.findMany({
          where: { bankId: bank, mode, searchKey: { contains: ` ${word}` } },
          orderBy: [{ createdAt: "desc" }, { id: "desc" }],
          take: first,
        }),
      }),
    },
    Customer: {
      createdAt: ({ createdAt }: { createdAt: Date }) => createdAt.toISOString(),
      history: async ({ id, bankId }: Row, { first }: { first: number }) => ({
        nodes: await prisma.customerEvent.findMany({ where: { bankId, mode, customerId: id }, orderBy: { version: "desc" }, take: first }),
      }),
    },
    Event: { at: ({ at }: { at: Date }) => at.toISOString() },
  },
});

const { url } = await startStandaloneServer(server, { listen: { port: 0, host: "127.0.0.1" } });
say(Number(new URL(url).port));
