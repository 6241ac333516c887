import { constants } from "node:os";
import { Command } from "commander";
import { banner } from "../banner.ts";
import { readConfig } from "../config.ts";
import { type RunningGateway, startGateway } from "../start.ts";
import { keepHeapLean } from "./lean-heap.ts";

/** `start`: serves until a signal. */
export function startCommand(): Command {
  return new Command("start")
    .description("start the gateway; on the first start without DATABASE_URL, make a demo bank")
    .action(async () => {
      const config = readConfig();
      let gateway: RunningGateway | undefined;
      stopOnSignal(() => gateway);
      gateway = await startGateway(config, {
        onFailure(error) {
          console.error(`The embedded database has failed: ${error.message}`);
          process.exit(1);
        },
      });
      keepHeapLean();
      console.log(banner(gateway, config));
    });
}

/** Ctrl-C reaches the gateway twice under npm, from the terminal and from npm: what comes this close is one wish. */
const ONE_WISH_MS = 1000;

/** A first signal stops in order; a second one does not wait, nor does one that comes before the gateway is ready. */
function stopOnSignal(running: () => RunningGateway | undefined): void {
  let stoppingSince: number | undefined;
  const stop = async (signal: "SIGINT" | "SIGTERM") => {
    const gateway = running();
    if (!gateway || (stoppingSince !== undefined && performance.now() - stoppingSince > ONE_WISH_MS))
      process.exit(128 + constants.signals[signal]);
    if (stoppingSince !== undefined) return;
    stoppingSince = performance.now();
    const cutOff = await gateway.stop();
    if (cutOff > 0) console.error(`Requests on ${cutOff} connection${cutOff > 1 ? "s" : ""} took too long to wait for, and were cut off.`);
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}
