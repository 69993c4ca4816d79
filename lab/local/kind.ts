/** `--cluster kind`: a cluster that the `kind` program makes of containers, with the published images. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { addressText, parseNetwork } from "../../components/core/addresses";
import { CACHE_DIR, RUN_DIR } from "../common/folders";
import { KIND_NAME } from "./target";

const WORKERS = 3;
/** At the end of the containers' network, where neither docker nor podman begins to give addresses away. */
const ADDRESSES = { first: 200n, last: 210n };

export const kindConfig = (): string =>
  `# Written by npm run local.\n${stringify({
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: KIND_NAME,
    networking: { ipFamily: "ipv4", podSubnet: "10.244.0.0/16", serviceSubnet: "10.96.0.0/16" },
    nodes: [{ role: "control-plane" }, ...Array.from({ length: WORKERS }, () => ({ role: "worker" }))],
  })}`;

/** Addresses for MetalLB in the containers' network. Pure. */
export function rangeIn(subnets: readonly string[]): string {
  const networks = subnets.map((text) => ({ text, network: parseNetwork(text) }));
  const v4 = networks.find(({ network }) => network?.family === 4);
  if (!v4)
    throw new Error(`the network of kind has no IPv4 subnet (${subnets.join(", ") || "none"}): give --addresses`);
  const { from, to } = v4.network!;
  const lastBlock = to - 255n;
  if (lastBlock < from)
    throw new Error(`the network of kind, ${v4.text}, is too small to choose addresses in: give --addresses`);
  return `${addressText(4, lastBlock + ADDRESSES.first)}-${addressText(4, lastBlock + ADDRESSES.last)}`;
}

type Has = (program: string) => boolean;
const onPath: Has = (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** Missing programs, and where to get them. Pure except `has`. */
export function kindNeeds(has: Has = onPath): { engine?: "docker" | "podman"; missing: string[] } {
  const engine = has("docker") ? "docker" : has("podman") ? "podman" : undefined;
  return {
    engine,
    missing: [
      ...(has("kind") ? [] : ["kind, 0.27 or newer: https://kind.sigs.k8s.io/docs/user/quick-start/#installation"]),
      ...(engine
        ? []
        : ["docker or podman: a container engine that kind can use (apt-get install docker.io, or podman)"]),
    ],
  };
}

function run(command: string, args: string[], capture = false): string {
  const provider = kindNeeds().engine === "podman" ? { KIND_EXPERIMENTAL_PROVIDER: "podman" } : {};
  const done = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", capture ? "pipe" : "inherit", "inherit"],
    env: { ...process.env, ...provider },
  });
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${done.status ?? done.error?.message}`);
  return done.stdout ?? "";
}

export function requireKind(): void {
  const { missing } = kindNeeds();
  if (missing.length)
    throw new Error(`--cluster kind needs programs that are missing here:\n  ${missing.join("\n  ")}`);
}

const exists = (): boolean => run("kind", ["get", "clusters"], true).split(/\s+/).includes(KIND_NAME);

/** From any state to a running cluster; its kubeconfig is only in the run folder. */
export function kindUp(): void {
  requireKind();
  const kubeconfig = path.join(RUN_DIR, "pki", "admin.conf");
  fs.mkdirSync(path.dirname(kubeconfig), { recursive: true, mode: 0o700 });
  if (exists()) {
    run("kind", ["export", "kubeconfig", "--name", KIND_NAME, "--kubeconfig", kubeconfig]);
    return;
  }
  const file = path.join(RUN_DIR, "kind.yaml");
  fs.writeFileSync(file, kindConfig());
  run("kind", [
    "create",
    "cluster",
    "--name",
    KIND_NAME,
    "--config",
    file,
    "--kubeconfig",
    kubeconfig,
    "--wait",
    "180s",
  ]);
}

/** Images out of archives, into every node. */
export function kindLoad(recipes: readonly string[]): void {
  for (const r of recipes)
    run("kind", ["load", "image-archive", path.join(CACHE_DIR, "images", `${r}.tar`), "--name", KIND_NAME]);
}

/** Free addresses of the containers' network. */
export function kindAddresses(): string {
  const engine = kindNeeds().engine!;
  const found = JSON.parse(run(engine, ["network", "inspect", "kind"], true))[0];
  return rangeIn(
    engine === "docker"
      ? (found.IPAM?.Config ?? []).map((c: any) => c.Subnet)
      : (found.subnets ?? []).map((s: any) => s.subnet),
  );
}

export function kindDown(): void {
  requireKind();
  if (exists())
    run("kind", ["delete", "cluster", "--name", KIND_NAME, "--kubeconfig", path.join(RUN_DIR, "pki", "admin.conf")]);
  fs.rmSync(RUN_DIR, { recursive: true, force: true });
}
