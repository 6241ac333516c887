import {
  type DocumentNode,
  getVariableValues,
  type ExecutionArgs,
  type GraphQLError,
  Kind,
  type FragmentDefinitionNode,
  getOperationAST,
} from "graphql";
import type { Plugin } from "graphql-yoga";
import type { Context } from "../context.ts";
import { isGatewayError } from "../graphql/errors.ts";
import { maskError } from "../graphql/mask-error.ts";
import { refuseTooDeep } from "../graphql/nesting.ts";
import { LEAST } from "../limits/charge.ts";
import { type Cost, measureCost } from "../limits/cost.ts";
import { MAX_TOKENS, overlong, oversize } from "../limits/document-size.ts";

/**
 * Refuses a document that is too large or nests too deep to be parsed, validated and run, instead of failing at it. Thrown
 * by the hooks, since results of parsing and validation are 200 to clients of the older media type.
 */
export function useDocumentLimits(): Plugin<Context> {
  // Yoga keeps documents, so that each is measured once. What hangs on who asks is not checked here: validation is kept too.
  const measured = new WeakSet<DocumentNode>();
  return {
    onParse({ params: { source }, parseFn, setParseFn }) {
      const tooLong = overlong(source as string);
      if (tooLong) throw tooLong;
      setParseFn((text, options) => refuseTooDeep(() => parseFn(text, { ...options, maxTokens: MAX_TOKENS })));
    },
    onValidate({ params: { documentAST }, validateFn, setValidationFn }) {
      if (!measured.has(documentAST)) {
        const issue = refuseTooDeep(() => oversize(documentAST));
        if (issue) throw issue;
        measured.add(documentAST);
      }
      setValidationFn((...parameters) => {
        try {
          return refuseTooDeep(() => validateFn(...parameters));
        } catch (error) {
          if (!isGatewayError(error)) throw error;
          return [error];
        }
      });
    },
  };
}

/**
 * Charges an operation before it runs, and says in `extensions.cost` what it cost. What costs too much, or more than
 * is left, is refused and does not run. A stream pays at its start, and then for itself.
 */
export function useCharge(): Plugin<Context> {
  const refuse = async (args: ExecutionArgs, stop: (result: object) => void) => {
    const { charge, log } = args.contextValue as Context;
    try {
      const { coerced, errors } = coerceVariables(args);
      await charge.pay(coerced ? costOfRequest(args, coerced, charge.costLimit) : LEAST);
      if (errors) stop({ errors: errors.map((error) => maskError(error, log)), extensions: { cost: charge.report } });
    } catch (error) {
      stop({ errors: [error as GraphQLError], extensions: { cost: charge.report } });
    }
  };
  const withCost = <Result extends object>(result: Result, { charge }: Context) => ({
    ...result,
    extensions: { ...(result as { extensions?: object }).extensions, cost: charge.report },
  });
  return {
    async onExecute({ args, setResultAndStopExecution }) {
      await refuse(args, setResultAndStopExecution);
      return {
        onExecuteDone({ result, setResult }) {
          if (!(Symbol.asyncIterator in result)) setResult(withCost(result, args.contextValue));
        },
      };
    },
    async onSubscribe({ args, setResultAndStopExecution }) {
      await refuse(args, setResultAndStopExecution);
      return {
        onSubscribeResult: () => ({
          onNext: ({ result, setResult }) => setResult(withCost(result, args.contextValue)),
        }),
      };
    },
  };
}

/** How many values of variables are few, and how many things that are wrong with those are told. */
const FEW = 1000;
const MOST_TOLD = 50;

/**
 * The variables, or what is wrong with them: it is said here, since GraphQL quotes in each of its errors the whole value that it is about.
 * Where there is much to quote, only the first is told.
 */
export function coerceVariables({ schema, document, operationName, variableValues }: ExecutionArgs) {
  const definitions = getOperationAST(document, operationName)!.variableDefinitions ?? [];
  const maxErrors = isLargerThan(FEW, variableValues) ? 1 : MOST_TOLD;
  const { coerced, errors } = getVariableValues(schema, definitions, variableValues ?? {}, { maxErrors });
  return { coerced, errors: errors?.filter(({ message }) => !message.startsWith("Too many errors")) };
}

/** Whether a JSON value holds more than so many values; it looks no further. */
function isLargerThan(most: number, value: unknown): boolean {
  const open = [value];
  for (let seen = 0; open.length > 0; seen += 1) {
    if (seen + open.length > most) return true;
    const next = open.pop();
    if (typeof next === "object" && next !== null) for (const inner of Object.values(next)) open.push(inner);
  }
  return false;
}

/** What a validated request costs. */
function costOfRequest({ schema, document, operationName }: ExecutionArgs, coerced: Record<string, unknown>, costLimit: number): Cost {
  const operation = getOperationAST(document, operationName)!;
  const fragments = Object.fromEntries(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  // Far over the limit the exact number is of no use to anybody.
  return measureCost(schema, { operation, fragments }, coerced, costLimit * 1000);
}
