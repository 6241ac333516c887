import dns from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** An address that is not to be reached: of this machine, of a private network, or of no single host. */
export class ForbiddenAddressError extends Error {
  readonly code = "ERR_FORBIDDEN_ADDRESS";
}

const GIVEN_OUT = ipaddr.parseCIDR("2000::/3");

/**
 * Whether an address is one of the public Internet. IPv4 within IPv6 is judged as what it reaches. Everything that is set
 * apart for a purpose (loopback, private, link-local with the metadata service, multicast, translation) is not.
 */
export function isPublicAddress(address: string): boolean {
  try {
    const parsed = ipaddr.process(address.replace(/%.*$/, ""));
    // Of IPv6 only one block is given out; what is left over in others, as IPv4-compatible addresses, has no name in every list.
    return parsed.range() === "unicast" && (parsed.kind() === "ipv4" || parsed.match(GIVEN_OUT));
  } catch {
    return false;
  }
}

/**
 * Resolves a host for a connection, and refuses it when any of its addresses is not public. The connection is made to what
 * has been judged here, so a name that means another address a moment later gains nothing.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, "", 0);
    if (found.length === 0 || found.some(({ address }) => !isPublicAddress(address))) {
      return callback(new ForbiddenAddressError("an address that is not public"), "", 0);
    }
    if (options.all) return callback(null, found);
    callback(null, found[0]!.address, found[0]!.family);
  });
};

/** The machine itself, whatever is looked up (RFC 6761). */
const OWN_NAME = /(^|\.)localhost\.?$/i;

/** An address that stands in a URL itself is not looked up: it is judged before. Names pass, and `publicLookup` judges them. */
export function refuseForbiddenHost(hostname: string): void {
  const host = hostname.replace(/^\[|\]$/g, "");
  if ((isIP(host) !== 0 && !isPublicAddress(host)) || OWN_NAME.test(host)) throw new ForbiddenAddressError("an address that is not public");
}
