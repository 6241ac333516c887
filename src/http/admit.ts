import type { GraphQLError } from "graphql";
import type { Logger } from "pino";
import type { Authenticate } from "../access/authenticate.ts";
import { createPrincipal, type Principal } from "../access/principal.ts";
import { limitFactorOf } from "../access/trust.ts";
import { type Visibility, VISIBILITIES } from "../access/visibility.ts";
import { noteUnauthenticated } from "../audit/note.ts";
import type { Services } from "../context.ts";
import { TimeBudget } from "../database/deadline.ts";
import { badUserInput, gatewayError } from "../graphql/errors.ts";
import { maskError } from "../graphql/mask-error.ts";
import { Charge, type Limits } from "../limits/charge.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RequestFacts } from "../telemetry/request-facts.ts";
import type { Capacity } from "./capacity.ts";
import { withinLimits } from "./within-limits.ts";
import type { HttpRequest } from "./request.ts";

/** A request's bearer, and what the request may take. */
export interface Caller {
  readonly principal: Principal;
  readonly charge: Charge;
  readonly budget: TimeBudget;
  readonly requestId: string;
  readonly facts: RequestFacts;
  readonly log: Logger;
}

/** How a protocol tells an error: GraphQL and REST each in their own form. */
export type TellError = (error: GraphQLError) => Response;

/** The way in, which every route with data takes. */
export interface Entrance {
  /** Does the work, and makes whatever it throws an answer. */
  readonly guard: (facts: RequestFacts, tell: TellError, work: (log: Logger) => Promise<Response>) => Promise<Response>;
  /**
   * Answers the bearer of a valid key within its limits; anybody else is told UNAUTHENTICATED, before the body is read, and
   * everybody UNAVAILABLE, before the key is looked up, while the gateway runs as much as it can.
   */
  readonly admit: (
    request: HttpRequest,
    facts: RequestFacts,
    tell: TellError,
    answer: (caller: Caller) => Promise<Response>,
  ) => Promise<Response>;
}

export interface EntranceParts {
  readonly services: Services;
  readonly authenticate: Authenticate;
  readonly limits: Limits;
  readonly capacity: Capacity;
  readonly metrics: Metrics;
  /** How long one request may take, in milliseconds. */
  readonly requestTimeoutMs: number;
}

export function createEntrance({ services, authenticate, limits, capacity, metrics, requestTimeoutMs }: EntranceParts): Entrance {
  const refuser = (facts: RequestFacts, log: Logger, tell: TellError) => (error: unknown) => {
    const masked = maskError(error, log) as GraphQLError;
    const code = String(masked.extensions["code"]);
    facts.codes.add(code);
    metrics.failed(code);
    return tell(masked);
  };

  async function guard(facts: RequestFacts, tell: TellError, work: (log: Logger) => Promise<Response>): Promise<Response> {
    const log = services.log.child({ requestId: facts.requestId });
    try {
      return await work(log);
    } catch (error) {
      return refuser(facts, log, tell)(error);
    }
  }

  return {
    guard,
    admit: (request, facts, tell, answer) =>
      guard(facts, tell, async (log) => {
        capacity.refuseIfFull();
        const { requestId } = facts;
        const budget = new TimeBudget(requestTimeoutMs);
        const identity = await budget.run(() => authenticate(request.headers.get("authorization")));
        if (!identity) noteUnauthenticated(services.audit, requestId);
        if (!identity) throw gatewayError("UNAUTHENTICATED", "Send a valid key: Authorization: Bearer cgw_…");
        facts.keyId = identity.keyId;
        const key = { id: identity.keyId, factor: limitFactorOf(identity.trustLevel) };
        const charge = new Charge(limits, key, identity.clientCostLimit ?? undefined);
        const respond = async () =>
          answer({ principal: createPrincipal(identity, requestedVisibility(request)), charge, budget, requestId, facts, log });
        const response = await withinLimits(charge, respond, refuser(facts, log, tell));
        facts.points = charge.report.requested;
        return response;
      }),
  };
}

function requestedVisibility(request: HttpRequest): Visibility | null {
  const header = request.headers.get("x-visibility");
  if (header === null) return null;
  const tier = VISIBILITIES.find((name) => name.toLowerCase() === header.trim().toLowerCase());
  if (!tier) throw badUserInput("X-Visibility is standard or extended.", { http: { status: 400 } });
  return tier;
}
