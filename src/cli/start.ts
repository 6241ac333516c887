import cluster from "node:cluster";
import { Command } from "commander";
import { banner } from "../banner.ts";
import { type Config, readConfig } from "../config.ts";
import { type RunningGateway, startGateway } from "../start.ts";
import { type RunningWorkers, startWorkers, tellReady } from "../workers.ts";
import { keepHeapLean } from "./lean-heap.ts";
import { stopOnSignal } from "./stop-signal.ts";

/** `start`: serves until a signal. */
export function startCommand(): Command {
  return new Command("start")
    .description("start the gateway; on the first start without DATABASE_URL, make a demo bank")
    .option("--workers <number>", "how many processes serve, or `auto`: one a core. Default: the variable WORKERS")
    .action(async ({ workers }: { workers?: string }) => {
      const config = readConfig(undefined, { WORKERS: workers });
      if (cluster.isWorker) return serve(config, tellReady).catch(giveUp);
      await (config.workers > 1 ? supervise(config) : serve(config, console.log));
    });
}

/** The channel to its supervisor would keep a worker that cannot start alive. */
function giveUp(error: unknown): never {
  cluster.worker!.disconnect();
  throw error;
}

async function supervise(config: Config): Promise<void> {
  let running: RunningWorkers | undefined;
  stopOnSignal(() => running !== undefined).addEventListener("abort", async () => process.exit(await running!.stop()));
  running = await startWorkers(config);
  console.log(running.banner);
}

async function serve(config: Config, say: (text: string) => void): Promise<void> {
  let gateway: RunningGateway | undefined;
  stopOnSignal(() => gateway !== undefined).addEventListener("abort", async () => {
    const cutOff = await gateway!.stop();
    if (cutOff > 0) console.error(`Requests on ${cutOff} connection${cutOff > 1 ? "s" : ""} took too long to wait for, and were cut off.`);
    process.exit(0);
  });
  gateway = await startGateway(config, {
    onFailure(error) {
      console.error(`The embedded database has failed: ${error.message}`);
      process.exit(1);
    },
  });
  keepHeapLean();
  say(banner(gateway, config));
}
