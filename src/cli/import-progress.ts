import { SingleBar } from "cli-progress";
import type { Checkpoint } from "./import-checkpoint.ts";
import { failed } from "./import-counts.ts";

/** How often the bar is drawn, and how often a line is printed where there is no terminal. */
const BAR_MS = 250;
const LINE_MS = 5000;

/** Tells on standard error how an import goes: a live bar on a terminal, else a line every few seconds. */
export class ImportProgress {
  readonly #checkpoint: Checkpoint;
  /** Lines of the input; null when a stream has not said. */
  readonly #lines: number | null;
  readonly #began = performance.now();
  readonly #from: number;
  readonly #rowsFrom: number;
  readonly #timer: NodeJS.Timeout;
  #bar: SingleBar | null = null;
  #noticed = -Infinity;

  constructor(checkpoint: Checkpoint, lines: number | null) {
    this.#checkpoint = checkpoint;
    this.#lines = lines;
    this.#from = checkpoint.line;
    this.#rowsFrom = this.#rows();
    if (process.stderr.isTTY && lines !== null) {
      this.#bar = new SingleBar({ format: "{bar} {percentage}% | {text}", hideCursor: true, stopOnComplete: false, fps: 10 });
      this.#bar.start(lines, checkpoint.line, { text: this.#text() });
    }
    this.#timer = setInterval(() => this.#show(), process.stderr.isTTY ? BAR_MS : LINE_MS);
  }

  /** Says that a request is sent again; not for every one. */
  retrying(cause: string, waitMs: number): void {
    if (performance.now() - this.#noticed < LINE_MS) return;
    this.#noticed = performance.now();
    this.notice(`The gateway: ${cause}. Trying again in ${(waitMs / 1000).toFixed(1)} s.`);
  }

  notice(text: string): void {
    if (this.#bar || process.stderr.isTTY) process.stderr.write("\r\u001b[K");
    console.error(text);
  }

  /** Shows the last state and ends. */
  end(): void {
    clearInterval(this.#timer);
    this.#show();
    this.#bar?.stop();
    if (!this.#bar && process.stderr.isTTY) process.stderr.write("\n");
  }

  #show(): void {
    if (this.#bar) this.#bar.update(this.#checkpoint.line, { text: this.#text() });
    else if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${this.#text()}`);
    else console.error(this.#text());
  }

  #text(): string {
    const { counts, line } = this.#checkpoint;
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = (this.#rows() - this.#rowsFrom) / Math.max(seconds, 0.001);
    const lineRate = (line - this.#from) / Math.max(seconds, 0.001);
    const left = this.#lines !== null && lineRate > 0 ? `, ${duration((this.#lines - line) / lineRate)} left` : "";
    const kinds = Object.entries(counts.failures)
      .map(([code, number]) => `${code} ${number}`)
      .join(", ");
    return `${this.#rows()} rows, ${Math.round(rate)}/s, ${counts.created} accepted, ${failed(counts)} refused${kinds && ` (${kinds})`}${left}`;
  }

  #rows(): number {
    const { counts } = this.#checkpoint;
    return counts.created + failed(counts);
  }
}

/** Seconds as people say them: `1 h 05 min`, `3 min 20 s`, `12 s`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${whole} s`;
}
