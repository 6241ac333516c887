import { gatewayError } from "../graphql/errors.ts";
import type { Cost } from "./cost.ts";
import type { Owner, Quota, Standing } from "./quota.ts";

/** What keys may take. */
export interface Limits {
  /** Points, by the minute. */
  readonly points: Quota;
  /** Look-ups of customers by a value that the caller knows already, by the hour. */
  readonly lookups: Quota;
  /** Questions of merchants where somebody is a customer, by the hour: each merchant's, whoever asks for it. */
  readonly discoveries: Quota;
  /** The same of all merchants of a provider and mode together: merchants and their levels are the provider's to make. */
  readonly providerDiscoveries: Quota;
  /** The most points that one request may cost. */
  readonly costLimit: number;
}

/** Who takes of what a provider's merchants have together. */
const PROVIDER = "All merchants of the provider together";

/** What every request costs at least, invalid ones included. */
export const LEAST: Cost = { points: 1, lookups: 0 };

/** What one request of a key costs, and what that leaves. */
export class Charge {
  /** The most points that the request may cost. */
  readonly costLimit: number;
  readonly limits: Limits;
  readonly #key: Owner;
  #requested = 0;
  #isSettled = false;
  #points: Standing;
  #lookups: Standing | null = null;
  #discoveries: Standing | null = null;
  #refusedBy: { readonly quota: Quota; readonly standing: Standing } | null = null;

  /** `costLimit`: the caller's own, when it is lower than everybody's. */
  constructor(limits: Limits, key: Owner, costLimit = Infinity) {
    this.limits = limits;
    this.#key = key;
    this.#points = limits.points.known(key);
    this.costLimit = Math.min(limits.costLimit, costLimit, this.#points.limit);
  }

  /** How the key stands, as far as this request was told. */
  get points(): Standing {
    return this.#points;
  }

  /** Null: the request looked nobody up. */
  get lookups(): Standing | null {
    return this.#lookups;
  }

  /** Null: the request asked nothing for a merchant; of several merchants the last one's. */
  get discoveries(): Standing | null {
    return this.#discoveries;
  }

  /** For `extensions.cost`: the points that were asked for, of those that the key has a minute. */
  get report(): { requested: number; limit: number; remaining: number } {
    const { limit, remaining } = this.#points;
    return { requested: this.#requested, limit, remaining };
  }

  /** After how many seconds a refused request may be tried again; null: it was not refused. */
  get retryAfter(): number | null {
    return this.#refusedBy && this.#refusedBy.quota.secondsUntil(this.#refusedBy.standing);
  }

  /** Which quota refused the request; null: none did. */
  get refusedBy(): Quota | null {
    return this.#refusedBy && this.#refusedBy.quota;
  }

  /** Refuses with RATE_LIMITED who is known to have nothing left, before anything is read. */
  refuseExhausted(): void {
    if (this.#points.remaining === 0) throw this.#refuse(this.limits.points, this.#points);
  }

  /**
   * Pays for what is about to be done; payments of one request add up. Throws COST_LIMIT_EXCEEDED for what costs more
   * than one request may, and RATE_LIMITED for what is not left; nothing may be done then. The points of a refused
   * look-up are spent.
   */
  async pay(cost: Cost): Promise<void> {
    if (this.#requested + cost.points > this.costLimit) {
      const requested = this.#requested + cost.points;
      // Now, so that what is told as left is what is left.
      await this.#take(LEAST);
      this.#requested = requested;
      throw gatewayError("COST_LIMIT_EXCEEDED", `The request costs ${this.#requested} points; at most ${this.costLimit} are allowed.`);
    }
    await this.#take(cost);
  }

  /** Pays for the next while of a stream, whose cost as a whole has no limit. Throws RATE_LIMITED. */
  async payOn(points: number): Promise<void> {
    await this.#take({ points, lookups: 0 });
  }

  /** Pays what every request costs, if it was not charged yet. Throws RATE_LIMITED. */
  async payLeast(): Promise<void> {
    if (!this.#isSettled) await this.#take(LEAST);
  }

  /** RATE_LIMITED, and an answer that tells so, as if nothing were left; the key keeps its points. For the sandbox. */
  refuseAsSpent(): Error {
    this.#points = { ...this.#points, remaining: 0 };
    return this.#refuse(this.limits.points, this.#points);
  }

  /**
   * Pays for questions of merchants, whose levels are known only by now, and of their provider's merchants together. Throws RATE_LIMITED: then none
   * may be answered, and none counts; but of what others take at that very moment too, a part may count.
   */
  async payDiscoveries(asked: readonly { readonly merchant: Owner; readonly questions: number }[], provider: Owner): Promise<void> {
    const { discoveries, providerDiscoveries } = this.limits;
    const sum = asked.reduce((total, { questions }) => total + questions, 0);
    const [together, ...each] = await Promise.all([
      providerDiscoveries.take(provider, 0),
      ...asked.map(({ merchant }) => discoveries.take(merchant, 0)),
    ]);
    const spent = asked.findIndex(({ questions }, at) => each[at]!.remaining < questions);
    this.#discoveries = each.at(spent)!;
    if (spent !== -1) throw this.#refuse(discoveries, each[spent]!, `The merchant ${asked[spent]!.merchant.id}`);
    if (together.remaining < sum) throw this.#refuse(providerDiscoveries, together, PROVIDER);
    for (const { merchant, questions } of asked) {
      const taken = await discoveries.take(merchant, questions);
      this.#discoveries = taken;
      if (!taken.granted) throw this.#refuse(discoveries, taken, `The merchant ${merchant.id}`);
    }
    const taken = await providerDiscoveries.take(provider, sum);
    if (!taken.granted) throw this.#refuse(providerDiscoveries, taken, PROVIDER);
  }

  /** How the key's look-ups stand at this moment. */
  async lookupsNow(): Promise<Standing> {
    return this.limits.lookups.take(this.#key, 0);
  }

  /** How a merchant's questions stand at this moment. */
  async discoveriesNow(merchant: Owner): Promise<Standing> {
    return this.limits.discoveries.take(merchant, 0);
  }

  /** How those of all merchants of a provider stand at this moment. */
  async providerDiscoveriesNow(provider: Owner): Promise<Standing> {
    return this.limits.providerDiscoveries.take(provider, 0);
  }

  async #take({ points, lookups }: Cost): Promise<void> {
    this.#requested += points;
    this.#isSettled = true;
    const paid = await this.limits.points.take(this.#key, points);
    this.#points = paid;
    if (!paid.granted) throw this.#refuse(this.limits.points, paid);
    if (lookups === 0) return;
    const looked = await this.limits.lookups.take(this.#key, lookups);
    this.#lookups = looked;
    if (!looked.granted) throw this.#refuse(this.limits.lookups, looked);
  }

  #refuse(quota: Quota, standing: Standing, who = "The key"): Error {
    this.#isSettled = true;
    this.#refusedBy = { quota, standing };
    const { name, windowSeconds } = quota.policy;
    const left = `${standing.remaining} of ${standing.limit} ${name} are left of these ${windowSeconds} seconds`;
    // What the others have taken of a provider's is not a merchant's to know.
    const told = quota === this.limits.providerDiscoveries ? "" : `: ${left}`;
    return gatewayError("RATE_LIMITED", `${who} may take no more for now${told}.`);
  }
}
