/** The stack replaces the certificate of the public names, under load. */
import * as tls from "node:tls";
import { until } from "../common/until";
import { deploy } from "./cluster";
import { flowing, since, type Scenario } from "./scenario";

/** The certificate that a new connection gets. */
const shown = (address: string, host: string, ca: string): Promise<tls.PeerCertificate> =>
  new Promise((resolve, reject) => {
    const socket = tls.connect({ host: address, port: 443, servername: host, ca, timeout: 5000 }, () => {
      resolve(socket.getPeerCertificate());
      socket.end();
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer in 5 s")));
    socket.on("error", reject);
  });

export const CERTIFICATE: Scenario = {
  id: "certificate",
  group: "failure",
  title: "The certificate is rotated",
  how: "key and certificate replaced in a deployment (`pulumi up --replace` of the key; here `npm run local -- deploy --replace cluster-tls-key`); verified against the same CA",
  seconds: 35,
  quick: true,
  bounds: { gap: 10, failedAfterRetry: 0 },
  action: async (r) => {
    const hosts = [r.a.hostnames.homeserver!, r.a.hostnames.web!];
    const old = await Promise.all(hosts.map((h) => shown(r.a.address, h, r.a.ca)));
    const started = Date.now();
    r.cause();
    const text = await deploy([], ["--replace", "cluster-tls-key"]);
    r.note(`deployed in ${since(started)}: ${/deployed in .*/.exec(text)?.[0] ?? ""}`);
    for (const [i, h] of hosts.entries()) {
      const took = await until(`${h} shows the new certificate`, 60, async () => {
        const now = await shown(r.a.address, h, r.a.ca);
        return now.fingerprint256 !== old[i]!.fingerprint256 &&
          now.pubkey &&
          Buffer.compare(now.pubkey, old[i]!.pubkey!) !== 0
          ? undefined
          : "still the old one";
      });
      r.note(
        `${h}: new connections are shown the new certificate, verified, ${took.toFixed(0)} s after the deployment`,
      );
    }
    await flowing(r.load, 30);
    return () => {
      const { failedFirst } = r.load.sofar();
      if (failedFirst) r.fail(`${failedFirst} sends failed on the first try`);
    };
  },
};
