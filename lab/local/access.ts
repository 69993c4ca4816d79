/** How a client reaches the local homeserver: the address that MetalLB announces, the CA, and one administrator. */
import * as crypto from "node:crypto";
import dns from "node:dns";
import * as fs from "node:fs";
import * as https from "node:https";
import * as path from "node:path";
import { resolveSettings } from "../../components/settings";
import { NAMESPACES, SECRETS } from "../../components/core/names";
import { SECRET_FILES } from "../../components/layers/synapse/paths";
import { TRUST_BUNDLE } from "../../components/layers/cluster/tls/publicTls";
import { RUN_DIR } from "../common/folders";
import { localConfig } from "./config";
import { kubectl as ask } from "./kubectl";

export { KUBECONFIG } from "./kubectl";

export interface Access {
  /** Address of the ingress. */
  address: string;
  serverName: string;
  hostnames: Record<string, string>;
  ca: string;
  caFile: string;
}

export const kubectl = (...args: string[]): string => ask(args);

const secret = (namespace: string, name: string, key: string): string =>
  Buffer.from(
    JSON.parse(kubectl("-n", namespace, "get", "secret", name, "-o", "json")).data[key] ?? "",
    "base64",
  ).toString();

export async function access(): Promise<Access> {
  const { settings, errors } = resolveSettings(localConfig([]), "local");
  if (!settings) throw new Error(errors.map((e) => `${e.path}: ${e.remedy}`).join("\n"));
  const ingress = JSON.parse(kubectl("get", "ingress", "-A", "-o", "json")).items.find((i: any) =>
    i.spec.rules?.some((r: any) => r.host === settings.hostnames.homeserver),
  );
  const address = ingress?.status?.loadBalancer?.ingress?.[0]?.ip;
  if (!address) throw new Error(`the Ingress for ${settings.hostnames.homeserver} has no address yet`);
  const ca: string = JSON.parse(kubectl("-n", "matrix", "get", "configmap", TRUST_BUNDLE, "-o", "json")).data["ca.crt"];
  const caFile = path.join(RUN_DIR, "ca.crt");
  fs.writeFileSync(caFile, ca);
  return { address, serverName: settings.serverName, hostnames: { ...settings.hostnames }, ca, caFile };
}

/** In this process, names of the stack resolve to the ingress; all others resolve as usual. */
export function resolveNames(a: Access): void {
  const names = new Set([a.serverName, ...Object.values(a.hostnames)]);
  const original = dns.lookup as any;
  (dns as any).lookup = (host: string, options: any, callback: any): void => {
    const done = typeof options === "function" ? options : callback;
    const o = typeof options === "object" ? options : {};
    if (!names.has(host)) {
      original(host, options, callback);
      return;
    }
    if (o.all) process.nextTick(done, null, [{ address: a.address, family: 4 }]);
    else process.nextTick(done, null, a.address, 4);
  };
}

interface Answer {
  status: number;
  headers: Record<string, any>;
  body: Buffer;
}
interface RequestOptions {
  /** Default: GET. */ method?: string;
  body?: Buffer | string;
  headers?: Record<string, string>;
}

/** One request to a host of the stack, TLS verified against its CA. */
export function request(
  a: Access,
  host: string,
  target: string,
  { method = "GET", body, headers }: RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const to = { host: a.address, servername: host, port: 443, ca: a.ca };
    const req = https.request(
      { ...to, method, path: target, timeout: 30_000, headers: { Host: host, ...headers } },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (c) => chunks.push(c));
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    req.on("timeout", () => req.destroy(new Error(`${method} https://${host}${target}: no answer in 30 s`)));
    req.on("error", reject);
    req.end(body);
  });
}

/** Registers a user with the shared secret, through the admin host (which admits only the allowed addresses). */
export async function adminRequest(a: Access, user: string, password: string, admin: boolean): Promise<any> {
  const target = "/_synapse/admin/v1/register";
  const { nonce } = JSON.parse((await request(a, a.hostnames.admin!, target)).body.toString());
  const mac = crypto
    .createHmac("sha1", secret(NAMESPACES.matrix, SECRETS.synapse, SECRET_FILES.registration))
    .update([nonce, user, password, admin ? "admin" : "notadmin"].join("\0"))
    .digest("hex");
  const answer = await request(a, a.hostnames.admin!, target, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ nonce, username: user, password, admin, mac }),
  });
  const body = JSON.parse(answer.body.toString());
  if (answer.status !== 200) throw new Error(`registering ${user}: ${answer.status} ${JSON.stringify(body)}`);
  return body;
}
