/**
 * A complete stack configuration for a number of users, on machines of documentation addresses: for plans without a
 * stack file, for measuring and for tests. Pure.
 */
import { RECOMMENDED_STORE, recommendedHosts } from "../components/sizing";

/** The five settings of a minimal stack, on the machines of the anchors; what is asked above 500 users is accepted. */
export function exampleConfig(ccu: number): Record<string, unknown> {
  return {
    ccu,
    domain: "example.org",
    hosts: recommendedHosts(ccu),
    addressPools: [{ name: "public", addresses: ["203.0.113.10-203.0.113.20"] }],
    objectStore: RECOMMENDED_STORE,
    tls: { mode: "own-ca" },
    backups: { acceptNoOffsite: true },
  };
}
