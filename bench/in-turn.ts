import type { App } from "../src/app.ts";

/** A way to do a thing that can be done again and again. */
export type Way = (turn: number) => Promise<unknown>;

/** How often a way was gone a second, and how many times as often as the first way: medians of the rounds. */
export interface Pace {
  readonly perSecond: number;
  readonly ratio: number;
}

/** Goes each way in turn, so that what else the machine does falls on all alike. The first round is the compiler's, and not counted. */
export async function inTurn<Name extends string>(
  ways: Record<Name, Way>,
  { rounds = 7, times = 600, atOnce = 16 } = {},
): Promise<Record<Name, Pace>> {
  const names = Object.keys(ways) as Name[];
  const paces = names.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [place, name] of names.entries()) {
      const pace = await paceOf(ways[name], times, atOnce);
      if (round >= 0) paces[place]!.push(pace);
    }
  }
  const [first] = paces;
  const medians = paces.map((own) => ({ perSecond: median(own), ratio: median(own.map((pace, round) => pace / first![round]!)) }));
  return Object.fromEntries(names.map((name, place) => [name, medians[place]!])) as Record<Name, Pace>;
}

async function paceOf(way: Way, times: number, atOnce: number): Promise<number> {
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < times) await way(next++);
    }),
  );
  return (times * 1000) / (performance.now() - started);
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** Asks a gateway as a key's bearer would, without a port; throws for an answer with errors. */
export function asker(app: App, key: string) {
  return async (query: string, variables: object = {}): Promise<any> => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await app.fetch(
      new Request("http://bench/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) }),
    );
    const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
}
