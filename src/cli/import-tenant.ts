import { StartupError } from "../startup-error.ts";
import type { GatewayDocument, PatientGateway } from "./gateway-retry.ts";
import { type Checkpoint, type Tenant, writeCheckpoint } from "./import-checkpoint.ts";

/** The key is of another tenant than the one that the run began with. */
export class AnotherTenant extends StartupError {}

const VIEWER: GatewayDocument<{ viewer: (Tenant & { scopes: string[] }) | null }> = "query ImportViewer { viewer { bankId mode scopes } }";

/**
 * Asks whose the key is, before anything is sent, and writes it into a checkpoint that does not say yet. Throws
 * AnotherTenant for another one than the checkpoint's, StartupError for a key without the scope that it takes, and what
 * PatientGateway throws.
 */
export async function claimTenant(gateway: PatientGateway, checkpoint: Checkpoint, checkpointFile: string, scope: string): Promise<void> {
  const { viewer } = (await gateway.call(VIEWER, "{}")).data;
  if (!Array.isArray(viewer?.scopes)) {
    throw new StartupError({
      what: "nothing can be imported",
      cause: "the gateway does not say whose the key is",
      fix: "see that the address is a gateway's, of this version",
    });
  }
  const { bankId, mode, scopes } = viewer;
  const { tenant } = checkpoint;
  if (tenant && (tenant.bankId !== bankId || tenant.mode !== mode)) {
    throw new AnotherTenant({
      what: `the checkpoint ${checkpointFile} cannot be gone on with`,
      cause: `its run was for ${nameOf(tenant)}, and the key is for ${nameOf({ bankId, mode })}`,
      fix: "give a key of the same bank and mode, or name another file with --checkpoint",
    });
  }
  if (!scopes.includes(scope)) {
    throw new StartupError({
      what: "nothing can be imported",
      cause: `the key has not the scope ${scope}`,
      fix: "give a key that has it, with --key or GATEWAY_KEY",
    });
  }
  if (tenant) return;
  checkpoint.tenant = { bankId, mode };
  writeCheckpoint(checkpointFile, checkpoint);
}

function nameOf({ bankId, mode }: Tenant): string {
  return `${bankId === null ? "the operator" : `the bank ${bankId}`} in ${mode}`;
}
