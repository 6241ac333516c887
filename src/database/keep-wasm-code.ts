import { setFlagsFromString } from "node:v8";

/**
 * Keeps machine code of WebAssembly that better code has replaced: a few megabytes of Prisma's query compiler and of the embedded
 * database. Node 24 may end the process when it frees it ("Check failed: jit_page_->allocations_.erase"): nodejs/node#64500.
 * For the whole process, threads included; to be called before either is loaded.
 */
export function keepWasmCode(): void {
  setFlagsFromString("--no-wasm-code-gc");
  setFlagsFromString("--no-flush-liftoff-code");
}
