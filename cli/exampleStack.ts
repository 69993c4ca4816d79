/**
 * A complete stack configuration for a number of users, on machines of documentation addresses: for measuring and for
 * tests. Pure.
 */
import * as crypto from "node:crypto";
import { RECOMMENDED_STORE, recommendedHosts } from "../components/sizing";

/** A well-formed host key that no host has. */
export function exampleHostKey(name: string): string {
  const field = (b: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, b.length]), b]);
  const point = crypto.createHash("sha256").update(name).digest();
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(point)]).toString("base64")}`;
}

export function exampleConfig(ccu: number): Record<string, unknown> {
  return {
    ccu,
    domain: "example.org",
    hosts: recommendedHosts(ccu).map((h) => ({ ...h, ssh: { ...h.ssh, hostKey: exampleHostKey(h.name) } })),
    addressPools: [{ name: "public", addresses: ["203.0.113.10-203.0.113.20"] }],
    objectStore: RECOMMENDED_STORE,
    tls: { mode: "own-ca" },
    backups: { acceptNoOffsite: true },
  };
}
