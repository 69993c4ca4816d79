/**
 * A network of its own for the tests (lab/real/run.ts has entered new namespaces): a bridge, a name service on it, and
 * a network namespace for each pod. None of it is visible from outside, and all of it ends with the run.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { KubernetesObject, PodTemplate } from "../../policy/types";
import { NameServer } from "./dns";
import { containerScript, layOutPod, type LaidOutContainer, type LaidOutPod, type PodIdentity } from "./podFiles";

export const GATEWAY = "10.90.0.1";
const ip = (...args: string[]): void => {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
};

export function requireNamespaces(): void {
  if (process.env.REAL_NAMESPACES !== "1")
    throw new Error("run this by `npm run test:real`: it makes the namespaces that these tests work in");
}

let bridge = false,
  used = 1,
  logs = 0;
export function makeBridge(): void {
  if (bridge) return;
  requireNamespaces();
  ip("link", "add", "br0", "type", "bridge");
  ip("addr", "add", `${GATEWAY}/16`, "dev", "br0");
  ip("link", "set", "br0", "mtu", "9000", "up");
  bridge = true;
}
/** Addresses of servers that the test itself runs. */
export function addLoopback(address: string): void {
  ip("addr", "add", `${address}/32`, "dev", "lo");
}
export const nextAddress = (): string => {
  used += 1;
  return `10.90.${used >> 8}.${used & 255}`;
};

/** Status of the answer. */
export const answers = async (url: string): Promise<number> => (await fetch(url)).status;

/** A process of a container, with its output. */
export class Running {
  exit: number | string | undefined;
  readonly ended: Promise<void>;
  /** @param log file that the process writes to: programs open /dev/stderr by name, which they cannot with a socket. */
  constructor(
    readonly child: ChildProcess,
    readonly name: string,
    private readonly log: string,
  ) {
    this.ended = new Promise((resolve) => {
      child.on("exit", (code, signal) => {
        this.exit = code ?? signal ?? -1;
        // Background processes of the command die with the container. Later the number may be another process's.
        try {
          process.kill(-child.pid!, "SIGKILL");
        } catch {
          /* nothing left */
        }
        setImmediate(resolve);
      });
    });
  }
  get output(): string {
    return fs.readFileSync(this.log, "utf8");
  }
  /**
   * Resolves when `ready` does not throw or return false; fails with the output when the process ends or time is up.
   */
  async until(ready: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      if (this.exit !== undefined) throw new Error(`${this.name} ended (${this.exit}):\n${this.output.slice(-3000)}`);
      if (
        await Promise.resolve()
          .then(ready)
          .catch(() => false)
      )
        return;
      if (Date.now() > deadline)
        throw new Error(`${this.name} was not ready after ${seconds} s:\n${this.output.slice(-3000)}`);
      await new Promise((r) => {
        setTimeout(r, 50);
      });
    }
  }
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.exit === undefined) this.child.kill(signal);
    const hard = setTimeout(() => this.child.kill("SIGKILL"), 8000);
    await this.ended;
    clearTimeout(hard);
  }
}

export interface TestPod extends LaidOutPod {
  ip: string;
  netns: string;
}

export class Network {
  readonly dns = new NameServer();
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "real-"));
  /** Told of each process when it starts, before it can have children. */
  started?: (running: Running) => void;
  private namespaces: string[] = [];
  private running: Running[] = [];

  async start(): Promise<this> {
    makeBridge();
    fs.chmodSync(this.dir, 0o755);
    await this.dns.listen(GATEWAY);
    return this;
  }

  namespace(address: string): string {
    const id = `p${address.split(".").slice(2).join("-")}`;
    ip("netns", "add", id);
    ip("link", "add", `v${id}`, "type", "veth", "peer", "name", "eth0", "netns", id);
    ip("link", "set", `v${id}`, "mtu", "9000", "master", "br0", "up");
    ip("-n", id, "addr", "add", `${address}/16`, "dev", "eth0");
    ip("-n", id, "link", "set", "lo", "up");
    ip("-n", id, "link", "set", "eth0", "mtu", "9000", "up");
    ip("-n", id, "route", "add", "default", "via", GATEWAY);
    this.namespaces.push(id);
    return id;
  }

  /** A pod with its address, and its names in DNS: of itself and of the Services that select it. */
  pod(template: PodTemplate, objects: KubernetesObject[], name: string, clusterDomain = "cluster.local"): TestPod {
    const address = nextAddress(),
      netns = this.namespace(address);
    const namespace = template.owner.namespace,
      service = template.owner.inputs.spec?.serviceName;
    const fqdn = service ? `${name}.${service}.${namespace}.svc.${clusterDomain}` : undefined;
    if (fqdn) this.dns.a.set(fqdn, [address]);
    for (const s of objects.filter(
      (o) => o.kind === "Service" && o.namespace === namespace && o.inputs.spec?.selector,
    )) {
      if (!Object.entries(s.inputs.spec.selector).every(([k, v]) => template.labels[k] === v)) continue;
      const full = `${s.name}.${namespace}.svc.${clusterDomain}`;
      this.dns.a.set(full, [...(this.dns.a.get(full) ?? []), address]);
    }
    const identity: PodIdentity = { name, namespace, ip: address, fqdn };
    return {
      ...layOutPod(path.join(this.dir, `${namespace}-${name}`), { template, objects, identity, dns: GATEWAY }),
      ip: address,
      netns,
    };
  }

  /** Runs a container's registered command (or `argv`) until it ends. */
  async run(pod: TestPod, c: LaidOutContainer, argv?: string[]): Promise<{ status: number | string; output: string }> {
    const r = this.spawn(pod.netns, containerScript(c, argv), `${pod.identity.name}/${c.name}`);
    await r.ended;
    return { status: r.exit!, output: r.output };
  }
  startContainer(pod: TestPod, c: LaidOutContainer, argv?: string[]): Running {
    return this.spawn(pod.netns, containerScript(c, argv), `${pod.identity.name}/${c.name}`);
  }

  /**
   * A script in the pod's network namespace and a mount namespace of its own. The process id stays that of what it
   * becomes.
   */
  spawn(netns: string, script: string, name: string): Running {
    const log = path.join(this.dir, `log-${(logs += 1)}`),
      fd = fs.openSync(log, "a");
    fs.chmodSync(log, 0o666);
    const child = spawn("ip", ["netns", "exec", netns, "bash", "-c", script], {
      stdio: ["ignore", fd, fd],
      detached: true,
    });
    fs.closeSync(fd);
    const r = new Running(child, name, log);
    this.running.push(r);
    this.started?.(r);
    return r;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.running.map((r) => r.stop()));
    this.running = [];
  }
  async close(): Promise<void> {
    await this.stopAll();
    this.dns.close();
    for (const n of this.namespaces) ip("netns", "del", n);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
