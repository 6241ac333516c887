import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Context, isSpanContextValid, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Logger } from "pino";
import type { Attributes, Tracing } from "./tracing.ts";

/** How long spans are gathered before they are sent, how long sending may take, and how long a stop waits; in milliseconds. */
const SEND_EVERY_MS = 1_000;
const SEND_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** A statement that names 500 values says nothing more after this many characters. */
const MAX_TEXT = 4_000;

/**
 * Traces by OpenTelemetry, sent to a collector by OTLP over HTTP as JSON. Nothing is registered for the whole process, so
 * that no library begins to trace by itself, and what an operator reads is what this house notes.
 */
export function createTracing(endpoint: string, log: Logger): Tracing {
  const exporter = loggingFailures(
    new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces`, timeoutMillis: SEND_TIMEOUT_MS }),
    log,
  );
  const provider = new TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, which the package reads, have the last word.
    resource: resourceFromAttributes({ "service.name": "customer-gateway" }).merge(detectResources({ detectors: [envDetector] })),
    spanLimits: { attributeValueLengthLimit: MAX_TEXT },
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS, exportTimeoutMillis: SEND_TIMEOUT_MS })],
  });
  const tracer = provider.getTracer("customer-gateway");
  const current = new AsyncLocalStorage<Span>();
  const inside = (span: Span | undefined): Context => (span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT);

  return {
    async within({ name, attributes, traceparent }, run) {
      const isRequest = traceparent !== undefined;
      const parent = isRequest ? callersContext(traceparent) : inside(current.getStore());
      const span = tracer.startSpan(name, { kind: isRequest ? SpanKind.SERVER : SpanKind.INTERNAL, attributes: known(attributes) }, parent);
      try {
        return await current.run(span, () =>
          run({
            traceId: span.spanContext().traceId,
            rename: (to) => span.updateName(to),
            note: (more) => span.setAttributes(known(more)),
            fail: (type) => fail(span, type),
          }),
        );
      } catch (error) {
        fail(span, error instanceof Error ? error.name : typeof error);
        throw error;
      } finally {
        span.end();
      }
    },
    statement(sql) {
      const parent = current.getStore();
      // Not of a stream, which asks on long after its answer began: its request's span has ended.
      if (!parent?.isRecording()) return null;
      const operation = /^\s*([A-Za-z]+)/.exec(sql)?.[1]?.toUpperCase() ?? "SQL";
      const attributes = { "db.system.name": "postgresql", "db.operation.name": operation, "db.query.text": sql };
      const span = tracer.startSpan(operation, { kind: SpanKind.CLIENT, attributes }, inside(parent));
      return (error) => {
        if (error) fail(span, codeOf(error));
        span.end();
      };
    },
    async close() {
      const patience = new AbortController();
      const late = sleep(CLOSE_TIMEOUT_MS, undefined, { signal: patience.signal, ref: false }).catch(() => {});
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      patience.abort();
    },
  };
}

/** By code or class only: an error's text quotes values. */
function fail(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", type);
}

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string };
  return typeof code === "string" ? code : (name ?? typeof error);
}

function known(attributes: Attributes = {}): Record<string, string | number | string[]> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "object" ? [...value] : value] as const],
    ),
  );
}

/** The caller's span, by W3C's Trace Context. Not `tracestate`: its text is the caller's, and would be sent on. */
function callersContext(traceparent: string | null): Context {
  const [, traceId, spanId, flags] = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(traceparent ?? "") ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  const caller = { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(caller) ? trace.setSpanContext(ROOT_CONTEXT, caller) : ROOT_CONTEXT;
}

/** Says once that spans cannot be sent, and once that they can again: requests do not wait for them and do not fail. */
function loggingFailures(exporter: SpanExporter, log: Logger): SpanExporter {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        // Each failure of this exporter has its error.
        const failed = result.error !== undefined;
        if (failed && !isFailing)
          log.warn({ fault: { class: result.error?.name, code: codeOf(result.error ?? {}) } }, "spans cannot be sent");
        if (!failed && isFailing) log.info("spans are sent again");
        isFailing = failed;
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
