/**
 * What the token service of calls asks of the stack. The service itself is in none of the registries that the lab
 * builds from, so its questions stand here, one by one, read from its source at the version that the stack runs
 * (lk-jwt-service 0.5.0, main.go; gomatrixserverlib/fclient resolves the server name as the specification says).
 */
import assert from "node:assert/strict";
import { classify, resourcesOf } from "../../components/layers/synapse/routingTable";
import { imageVersion } from "../../components/core/images";
import { IMAGES } from "../../components/layers/rtc/images";
import { evaluated, tier, WITHOUT_OPERATORS, type Evaluated } from "../../lab/common/tiers";

/** The variables that 0.5.0 reads, and those without which it ends at once. */
const READ = [
  "LIVEKIT_URL",
  "LIVEKIT_KEY",
  "LIVEKIT_SECRET",
  "LIVEKIT_KEY_FROM_FILE",
  "LIVEKIT_SECRET_FROM_FILE",
  "LIVEKIT_KEY_FILE",
  "LIVEKIT_FULL_ACCESS_HOMESERVERS",
  "LIVEKIT_JWT_BIND",
  "LIVEKIT_JWT_PORT",
  "LIVEKIT_INSECURE_SKIP_VERIFY_TLS",
];
/** Go's crypto/x509 reads it in place of the system's certificates. */
const OF_GO = ["SSL_CERT_FILE"];
const NEEDED = ["LIVEKIT_URL", "LIVEKIT_KEY_FROM_FILE", "LIVEKIT_SECRET_FROM_FILE", "LIVEKIT_FULL_ACCESS_HOMESERVERS"];

interface Objects {
  e: Evaluated;
  of: (kind: string) => any[];
}

/** The Service that answers a public URL, and 404 where none does. */
function served({ of }: Objects, url: string): { service: string; namespace: string } | 404 {
  const { hostname, pathname } = new URL(url);
  for (const ingress of of("Ingress"))
    for (const rule of ingress.spec.rules.filter((r: any) => r.host === hostname))
      // The Ingress with the certificate has no paths; those of its host's others do.
      for (const p of rule.http?.paths ?? [])
        if (p.pathType === "Exact" ? p.path === pathname : `${pathname}/`.startsWith(`${p.path.replace(/\/$/, "")}/`))
          return { service: p.backend.service.name, namespace: ingress.metadata.namespace };
  return 404;
}

/** The document that the public URL shows; 404 where nginx has none of that name. */
function wellKnown(o: Objects, url: string): any {
  const place = served(o, url);
  if (place === 404) return 404;
  const files = o.of("ConfigMap").find((c) => c.metadata.name === place.service)!.data;
  const name = new URL(url).pathname.split("/").pop();
  if (!files["nginx.conf"].includes(`location = /.well-known/matrix/${name} {`)) return 404;
  return JSON.parse(files[`${name}.json`]);
}

/** Where fclient sends a request for a server name without a port: it takes the delegated name, or port 8448. */
function resolved(o: Objects, serverName: string): string {
  const delegated = wellKnown(o, `https://${serverName}/.well-known/matrix/server`);
  return delegated === 404 ? `https://${serverName}:8448` : `https://${delegated["m.server"]}`;
}

describe("rtc: what the token service asks of the stack", function () {
  this.timeout(180_000);
  for (const federation of [false, true])
    describe(`federation ${federation ? "on" : "off"}`, () => {
      let o: Objects, pod: any;
      before(async () => {
        const e = await evaluated(tier(1_000, { federation, more: WITHOUT_OPERATORS }).config);
        o = { e, of: (kind) => e.subject.objects.map((x) => x.inputs).filter((x: any) => x.kind === kind) };
        pod = o.of("Deployment").find((d) => d.metadata.name === "lk-jwt-service")!.spec.template.spec;
      });

      it("is the version whose source was read", () => {
        assert.equal(imageVersion(o.e.settings, IMAGES.lkJwt), "0.5.0");
      });

      it("finds the homeserver by its server name, on a port that the stack serves", () => {
        assert.equal(resolved(o, o.e.settings.serverName), `https://${o.e.settings.hostnames.homeserver}:443`);
      });

      it("is told there who the user is, by processes that listen for it", () => {
        const path = "/_matrix/federation/v1/openid/userinfo";
        const url = `${resolved(o, o.e.settings.serverName)}${path}`;
        assert.deepEqual(served(o, url), { service: "haproxy", namespace: "matrix" });
        const table = { plan: o.e.plan, federation };
        const answer = classify({ method: "GET", path, query: "access_token=x" }, table)!;
        for (const cls of [answer.class, ...answer.fallback])
          assert.ok(
            resourcesOf(cls, table).some((r) => r === "openid" || r === "federation"),
            cls,
          );
      });

      it("makes the room at the SFU by its public name, where only an authorised caller may", () => {
        const env = Object.fromEntries(pod.containers[0].env.map((v: any) => [v.name, v.value]));
        // The SDK of LiveKit turns ws into http and appends the path of the RPC.
        const api = `${env.LIVEKIT_URL.replace(/^ws/, "http")}/twirp/livekit.RoomService/CreateRoom`;
        assert.deepEqual(served(o, api), { service: "livekit", namespace: "livekit" });
        assert.deepEqual(env.LIVEKIT_FULL_ACCESS_HOMESERVERS.split(","), [o.e.settings.serverName]);
      });

      it("is reached by clients at both of its paths, where they were told to look", () => {
        const [focus] = wellKnown(o, `https://${o.e.settings.serverName}/.well-known/matrix/client`)[
          "org.matrix.msc4143.rtc_foci"
        ];
        for (const path of ["/get_token", "/sfu/get"])
          assert.deepEqual(served(o, `${focus.livekit_service_url}${path}`), {
            service: "lk-jwt-service",
            namespace: "livekit",
          });
        assert.equal(pod.containers[0].readinessProbe.httpGet.path, "/healthz");
      });

      it("gets the variables that it reads and no others, and its keys as files", () => {
        const [container] = pod.containers;
        const names: string[] = container.env.map((v: any) => v.name);
        assert.deepEqual(
          names.filter((n) => ![...READ, ...OF_GO].includes(n)),
          [],
        );
        assert.deepEqual(
          NEEDED.filter((n) => !names.includes(n)),
          [],
        );
        const file = (name: string): string => container.env.find((v: any) => v.name === name).value;
        for (const name of ["LIVEKIT_KEY_FROM_FILE", "LIVEKIT_SECRET_FROM_FILE", "SSL_CERT_FILE"])
          assert.ok(
            container.volumeMounts.some((m: any) => file(name).startsWith(`${m.mountPath}/`)),
            name,
          );
      });
    });
});
