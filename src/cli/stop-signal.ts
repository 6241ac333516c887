import { constants } from "node:os";

/** Ctrl-C may reach the process twice, from the terminal and from what started it: what comes this close is one wish. */
const ONE_WISH_MS = 1000;

/** Aborted by a first SIGINT or SIGTERM; a second one ends the process at once, as does a first while there is nothing to stop. */
export function stopOnSignal(isStoppable = () => true): AbortSignal {
  const controller = new AbortController();
  let since: number | undefined;
  const stop = (signal: "SIGINT" | "SIGTERM") => {
    const isAnother = since !== undefined && performance.now() - since > ONE_WISH_MS;
    if (isAnother || !isStoppable()) process.exit(128 + constants.signals[signal]);
    since ??= performance.now();
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
