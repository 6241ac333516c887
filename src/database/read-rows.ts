import type { Database } from "./client.ts";

/** A statement that reads one kind of row: PostgreSQL's text, and a value for each of its $1, $2, … */
export interface Read {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Gives a row as an array, its values in the order of the statement's columns. */
export type ReadRows = (read: Read) => Promise<unknown[][]>;

const readers = new WeakMap<Database, ReadRows>();

/** Says how a client reads. Each maker of clients does. */
export function setReader(client: Database, reader: ReadRows): void {
  readers.set(client, reader);
}

/**
 * Reads past Prisma, which takes several times as long as the driver: for what is read all the time. It is in the client's scope, within
 * its deadlines and with its fallback, as every statement. Values are pg's: a timestamptz is a Date, a bytea a Buffer.
 */
export function readRows(client: Database, read: Read): Promise<unknown[][]> {
  return readers.get(client)!(read);
}
