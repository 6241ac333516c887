import { randomUUID } from "node:crypto";
import {
  type ExecutionArgs,
  getArgumentValues,
  getOperationAST,
  getVariableValues,
  type GraphQLError,
  Kind,
  OperationTypeNode,
} from "graphql";
import { collectFields } from "graphql/execution/collectFields.js";
import { within } from "../access/principal.ts";
import type { Context } from "../context.ts";
import type { Database, Transaction } from "../database/client.ts";
import { stableJson } from "../graphql/cursor.ts";
import { badUserInput } from "../graphql/errors.ts";
import { IdempotencyConflict } from "../graphql/failure.ts";
import type { Job } from "../jobs/schedule.ts";

/** How long a key is kept; afterwards it is new again. */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

const MAX_KEY_LENGTH = 255;
const KEY = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_KEY_LENGTH}}$`, "u");

const NOT_A_KEY = `An idempotency key is 1 to ${MAX_KEY_LENGTH} characters, none of them a control character.`;

/** Marks a root field as one that takes an idempotency key. */
export const keyed = { extensions: { keyed: true } } as const;

/**
 * The idempotency key of a keyed mutation: the input's, or the Idempotency-Key header's, or null. One that is
 * not 1 to 255 characters is BAD_USER_INPUT.
 */
export function idempotencyKey(context: Context, inputKey: string | null | undefined): string | null {
  const key = inputKey ?? context.idempotencyKey;
  if (key !== null && !KEY.test(key)) {
    throw badUserInput(NOT_A_KEY);
  }
  return key;
}

/**
 * What is wrong with an Idempotency-Key header, before anything is written: it meets several keyed mutations, is
 * none, or differs from the input's own key. Null: nothing.
 */
export function headerIssue({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs): GraphQLError | null {
  const header = (contextValue as Context).idempotencyKey;
  const operation = getOperationAST(document, operationName);
  const type = schema.getMutationType();
  if (header === null || operation?.operation !== OperationTypeNode.MUTATION || !type) return null;
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {});
  // What is wrong with the variables is told by the execution.
  if (!coerced) return null;
  const fragments = Object.fromEntries(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  const fields = [...collectFields(schema, fragments, coerced, type, operation.selectionSet).values()].map(([node]) => node!);
  const keyedFields = fields.filter((node) => type.getFields()[node.name.value]?.extensions["keyed"]);
  if (keyedFields.length > 1) {
    return badUserInput("The Idempotency-Key header goes with one keyed mutation; give each its own idempotencyKey.", BAD_REQUEST);
  }
  if (keyedFields.length > 0 && !KEY.test(header)) return badUserInput(NOT_A_KEY, BAD_REQUEST);
  const differs = keyedFields.some((node) => {
    const { input } = getArgumentValues(type.getFields()[node.name.value]!, node, coerced) as {
      input?: { idempotencyKey?: string | null };
    };
    return input?.idempotencyKey != null && input.idempotencyKey !== header;
  });
  return differs ? badUserInput("The Idempotency-Key header differs from the input's idempotencyKey.", BAD_REQUEST) : null;
}

const BAD_REQUEST = { http: { status: 400, spec: true } };

/** What a keyed mutation was asked. */
export interface KeyedCall {
  /** The mutation's name: keys of different mutations are different keys. */
  readonly mutation: string;
  readonly key: string | null;
  /** Without the key itself. */
  readonly input: unknown;
}

/**
 * Runs `run` once for a key: whoever comes second waits for the first one's transaction, and gets its
 * result id with `replayed`. The key's row stands in the same transaction as what `run` writes, so
 * neither exists without the other. `run` is given the id to make its result under. Throws
 * IdempotencyConflict when the key was used with another input.
 */
export async function runOnce(
  tx: Transaction,
  { keyring, principal }: Context,
  { mutation, key, input }: KeyedCall,
  now: Date,
  run: (resultId: string) => Promise<void>,
): Promise<{ resultId: string; replayed: boolean }> {
  const resultId = randomUUID();
  if (key === null) {
    await run(resultId);
    return { resultId, replayed: false };
  }
  const { bankId, mode } = within(principal);
  const [inputHash, ...olderHashes] = keyring.hashes("idempotency", stableJson({ bankId, mode, mutation, input }));
  const expired = new Date(now.getTime() - KEY_LIFETIME_MS);
  const claimed = await tx.$executeRaw`
    INSERT INTO idempotency_key AS existing (bank_id, mode, mutation, key, input_hash, result_id, created_at)
    VALUES (${bankId}::text, ${mode}::mode, ${mutation}::text, ${key}::text, ${inputHash}::bytea, ${resultId}::uuid, ${now}::timestamptz)
    ON CONFLICT (bank_id, mode, mutation, key) DO UPDATE
      SET input_hash = excluded.input_hash, result_id = excluded.result_id, created_at = excluded.created_at
      WHERE existing.created_at <= ${expired}::timestamptz`;
  if (claimed === 1) {
    await run(resultId);
    return { resultId, replayed: false };
  }
  const first = await tx.idempotencyKey.findUniqueOrThrow({
    where: { bankId_mode_mutation_key: { bankId, mode, mutation, key } },
  });
  const same = [inputHash, ...olderHashes].some((hash) => Buffer.from(first.inputHash).equals(Buffer.from(hash!)));
  if (!same) throw new IdempotencyConflict();
  return { resultId: first.resultId, replayed: true };
}

/** Removes keys that have had their time. */
export function removeExpiredKeys(db: Database): Job {
  return {
    name: "remove-expired-idempotency-keys",
    everyMs: 60_000,
    run: () => db.idempotencyKey.deleteMany({ where: { createdAt: { lte: new Date(Date.now() - KEY_LIFETIME_MS) } } }),
  };
}
