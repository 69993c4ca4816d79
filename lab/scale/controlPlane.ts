/**
 * A control plane in this process's own network namespace: etcd, kube-apiserver, kube-controller-manager and
 * kube-scheduler as plain processes, and KWOK, which plays the kubelets. The certificates are those of the local
 * cluster (lab/cluster/pki.sh), in a folder of this run.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { CACHE_DIR, ROOT } from "../common/folders";
import { until } from "../common/until";
import { Api } from "../scenarios/api";

/** The programs, as lab/programs.txt names them: one binary for all of Kubernetes. */
export const PROGRAMS = ["hyperkube", "etcd", "kwok"] as const;
/** The address that lab/cluster/pki.sh writes into the API server's certificate; here it is on the loopback. */
const ADDRESS = "10.77.0.10";
const SERVICES = "10.96.0.0/16";
const PODS = "10.244.0.1/16";
const READY_SECONDS = 300;
/** Seconds until a node without heartbeats counts as lost: the default of the kubelet's lease. */
const LEASE_SECONDS = 40;
/**
 * Requests a second of the controllers. The defaults (20 and 50) pace a cluster in which kubelets take seconds to start
 * a pod; here pods start at once, and the test would only wait.
 */
const QPS = 500;

/** Where the run's files are. */
export interface Folders {
  /** Holds `pki`, etcd's data and the logs. */
  run: string;
}

const bin = (name: string): string => path.join(CACHE_DIR, "bin", name);

/** Every argument of every process, in the order in which they start. Pure. */
export function commands(run: string): Array<{ name: string; program: string; args: string[] }> {
  const pki = (file: string): string => path.join(run, "pki", file);
  const logins = (file: string): string[] =>
    ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map((flag) => `--${flag}=${pki(file)}`);
  return [
    {
      name: "etcd",
      program: bin("etcd"),
      args: [
        ...["--name=cp", `--data-dir=${path.join(run, "etcd")}`, "--unsafe-no-fsync", "--log-level=warn"],
        ...["--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379"],
        ...["--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380"],
        "--initial-cluster=cp=http://127.0.0.1:2380",
      ],
    },
    {
      name: "apiserver",
      program: bin("kube-apiserver"),
      args: [
        ...["--etcd-servers=http://127.0.0.1:2379", `--advertise-address=${ADDRESS}`, "--bind-address=0.0.0.0"],
        ...["--secure-port=6443", `--tls-cert-file=${pki("apiserver.crt")}`],
        ...[`--tls-private-key-file=${pki("apiserver.key")}`, `--client-ca-file=${pki("ca.crt")}`],
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        ...[`--service-account-key-file=${pki("sa.pub")}`, `--service-account-signing-key-file=${pki("sa.key")}`],
        ...[`--service-cluster-ip-range=${SERVICES}`, "--authorization-mode=Node,RBAC", "--allow-privileged=true"],
        "--enable-admission-plugins=NodeRestriction",
        // Those of the operators are pods, and no pod runs here: every call would fail.
        "--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook",
        ...[`--requestheader-client-ca-file=${pki("ca.crt")}`, "--requestheader-allowed-names=front-proxy-client"],
        ...["--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group"],
        ...["--requestheader-username-headers=X-Remote-User", `--proxy-client-cert-file=${pki("front-proxy.crt")}`],
        ...[`--proxy-client-key-file=${pki("front-proxy.key")}`, "--enable-aggregator-routing=true", "--v=1"],
      ],
    },
    {
      name: "controller-manager",
      program: bin("kube-controller-manager"),
      args: [
        ...logins("controller-manager.conf"),
        "--use-service-account-credentials=true",
        ...[`--service-account-private-key-file=${pki("sa.key")}`, `--root-ca-file=${pki("ca.crt")}`],
        ...[`--cluster-signing-cert-file=${pki("ca.crt")}`, `--cluster-signing-key-file=${pki("ca.key")}`],
        ...["--allocate-node-cidrs=false", "--leader-elect=false", "--bind-address=127.0.0.1", "--v=1"],
        ...[`--kube-api-qps=${QPS}`, `--kube-api-burst=${QPS * 2}`],
      ],
    },
    {
      name: "scheduler",
      program: bin("kube-scheduler"),
      args: [`--config=${path.join(run, "scheduler.json")}`, "--bind-address=127.0.0.1", "--v=1"],
    },
    {
      name: "kwok",
      program: bin("kwok"),
      args: [
        ...[`--kubeconfig=${pki("admin.conf")}`, "--manage-all-nodes=true", `--cidr=${PODS}`],
        `--node-lease-duration-seconds=${LEASE_SECONDS}`,
        `--config=${path.join(__dirname, "stages.yaml")}`,
      ],
    },
  ];
}

/** Its flag for the rate of requests is deprecated; this is where it belongs. */
const schedulerConfiguration = (run: string): object => ({
  apiVersion: "kubescheduler.config.k8s.io/v1",
  kind: "KubeSchedulerConfiguration",
  leaderElection: { leaderElect: false },
  clientConnection: { kubeconfig: path.join(run, "pki", "scheduler.conf"), qps: QPS, burst: QPS * 2 },
});

/** A running control plane. */
export class ControlPlane {
  private constructor(
    readonly api: Api,
    readonly kubeconfig: string,
    private readonly run: string,
    private readonly processes: Map<string, ChildProcess>,
  ) {}

  static async start({ run }: Folders): Promise<ControlPlane> {
    fs.mkdirSync(run, { recursive: true, mode: 0o700 });
    run_("ip", ["address", "add", `${ADDRESS}/32`, "dev", "lo"]);
    run_("bash", [path.join(ROOT, "lab/cluster/pki.sh")], { ...process.env, MATRIX_HA_RUN: run });
    fs.writeFileSync(path.join(run, "scheduler.json"), JSON.stringify(schedulerConfiguration(run)));
    const kubeconfig = path.join(run, "pki", "admin.conf");
    const processes = new Map<string, ChildProcess>();
    const api = new Api(kubeconfig);
    const plane = new ControlPlane(api, kubeconfig, run, processes);
    for (const { name, program, args } of commands(run)) {
      const log = fs.openSync(plane.log(name), "w");
      processes.set(name, spawn(program, args, { stdio: ["ignore", log, log] }));
      fs.closeSync(log);
      if (name === "apiserver") await plane.ready();
    }
    return plane;
  }

  private log(name: string): string {
    return path.join(this.run, `${name}.log`);
  }

  private async ready(): Promise<void> {
    await until(
      "the API server is ready",
      READY_SECONDS,
      async () => {
        const dead = this.dead();
        if (dead.length) throw new Error(`${dead.join(", ")} ended:\n${dead.map((n) => this.tail(n)).join("\n")}`);
        // RBAC's own roles are made by a hook after the start; until then the controllers are refused.
        await this.api.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-scheduler");
        return undefined;
      },
      0.2,
    );
  }

  /** Processes that have ended by themselves. */
  dead(): string[] {
    return [...this.processes].filter(([, p]) => p.exitCode !== null || p.signalCode !== null).map(([name]) => name);
  }

  /** The end of a process's log. */
  tail(name: string, lines = 15): string {
    const log = this.log(name);
    return fs.existsSync(log) ? fs.readFileSync(log, "utf8").trimEnd().split("\n").slice(-lines).join("\n") : "";
  }

  /** The processes of this control plane, for reports of what failed. */
  names(): string[] {
    return [...this.processes.keys()];
  }

  stop(): void {
    for (const p of [...this.processes.values()].reverse()) p.kill("SIGTERM");
  }
}

function run_(command: string, args: string[], env = process.env): void {
  const done = spawnSync(command, args, { env, encoding: "utf8" });
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${done.status ?? done.signal}: ${done.stderr}`);
}
