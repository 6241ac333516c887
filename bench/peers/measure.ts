import autocannon from "autocannon";
import { median } from "../in-turn.ts";
import type { Case, HttpRequest, Server, Subject } from "./cases.ts";
import type { Running } from "./processes.ts";

/** What one server made of one case in one round. */
export interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** CPU time of the server a request, in milliseconds. */
  readonly cpu: number;
}

/** Asks one server about one subject after the other, over so many connections for so many seconds. */
export async function measure(
  { server, url, cpu }: Running,
  { ask }: Case,
  subjects: readonly Subject[],
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Figures> {
  const before = cpu();
  const { errors, non2xx, requests, latency } = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: subjects.map((subject) => ask[server]!(subject)) as autocannon.Request[],
  });
  if (errors + non2xx > 0) throw new Error(`${server}: ${errors} errors, ${non2xx} answers that are not 2xx`);
  return { perSecond: requests.total / seconds, p50: latency.p50, p99: latency.p99, cpu: (cpu() - before) / requests.total };
}

/** The data of one answer, with times in one form: what every server must agree on. */
export async function dataOf(url: string, { path, ...init }: HttpRequest): Promise<unknown> {
  const response = await fetch(`${url}${path}`, init);
  const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return JSON.parse(JSON.stringify(data), (_name, value) =>
    typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value).toISOString() : value,
  );
}

/** Throws unless all servers answer each subject alike. */
export async function checkEqual(title: string, { ask }: Case, running: readonly Running[], subjects: readonly Subject[]): Promise<void> {
  const [first, ...others] = running.filter(({ server }) => ask[server]);
  for (const subject of subjects) {
    const expected = canonical(await dataOf(first!.url, ask[first!.server]!(subject)));
    for (const { server, url } of others) {
      const answer = canonical(await dataOf(url, ask[server]!(subject)));
      if (answer !== expected)
        throw new Error(`${title}: ${server} answers ${answer.slice(0, 500)}, ${first!.server} ${expected.slice(0, 500)}`);
    }
  }
}

/** A value as JSON with sorted names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The medians of several rounds. */
export function medians(rounds: readonly Figures[]): Figures {
  const of = (name: keyof Figures) => median(rounds.map((round) => round[name]));
  return { perSecond: of("perSecond"), p50: of("p50"), p99: of("p99"), cpu: of("cpu") };
}

/** How many times as much one server answered as another in the same round: the median over rounds. */
export function ratio(rounds: Partial<Record<Server, readonly Figures[]>>, server: Server, other: Server): number {
  return median(rounds[server]!.map(({ perSecond }, round) => perSecond / rounds[other]![round]!.perSecond));
}
