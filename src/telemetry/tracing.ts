import type { Logger } from "pino";

/** What is noted of a span: names, codes and numbers, never a value of a customer. */
export type Attributes = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** One piece of work in a trace. */
export interface Span {
  /** 32 hex digits, so that a log line can name its trace. */
  readonly traceId: string;
  rename(name: string): void;
  note(attributes: Attributes): void;
  /** Marks it as failed. `type`: a code or a class. */
  fail(type: string): void;
}

/** How a span begins. */
export interface SpanStart {
  readonly name: string;
  readonly attributes?: Attributes;
  /** Of a request: the caller's header of this name, or null. Whatever is no request goes on from the span that it is within. */
  readonly traceparent?: string | null;
}

/** Traces of requests, down to their SQL. */
export interface Tracing {
  /** Runs `run` within a span of its own, which ends with it. */
  within<T>(start: SpanStart, run: (span: Span) => Promise<T>): Promise<T>;
  /** Begins the span of a statement, and gives what ends it; null when no request is at work, or its trace is not kept. */
  readonly statement: (sql: string) => ((error: unknown) => void) | null;
  /** Sends what is left, for a few seconds at most. */
  close(): Promise<void>;
}

/** Null when no collector is named: nothing of OpenTelemetry is loaded then. */
export async function openTracing(endpoint: string | null, log: Logger): Promise<Tracing | null> {
  if (endpoint === null) return null;
  const { createTracing } = await import("./otlp.ts");
  return createTracing(endpoint, log);
}
