import { remote, type types } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../core/context";
import type { HostSettings, Settings } from "../../settings/types";
import { remoteCommand } from "./command";
import { nodeLabels, nodeTaints } from "./nodeRoles";
import { hostSteps } from "./steps";

/** Arguments of Hosts. */
export interface HostsArgs {
  ctx: StackContext;
}

/** The machines: prepared over SSH, then labelled for the scheduler. */
export class Hosts extends pulumi.ComponentResource {
  /** All hosts, prepared and labelled; workloads depend on these. */
  readonly ready: pulumi.Resource[] = [];

  constructor(name: string, args: HostsArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:hosts:Hosts", name, {}, opts);
    const { settings, plan } = args.ctx;
    const zonePools = plan.minio?.survives === "zone" ? plan.minio.pools.length : 0;
    for (const host of settings.hosts) {
      const prepared = settings.prepareHosts ? this.prepare(name, settings, host) : undefined;
      this.ready.push(...this.describe(name, host, nodeLabels(settings, host, zonePools), prepared));
    }
    this.registerOutputs({});
  }

  /**
   * One command for each step, one after the other. A changed script or connection runs the step again as an update.
   * There are no triggers, because these would replace the resource. Nothing is undone on delete: a dead machine can be
   * removed from the settings without being reached, and its disks are not touched.
   */
  private prepare(name: string, settings: Settings, host: HostSettings): remote.Command {
    const connection = connectionTo(settings, host);
    return hostSteps(settings, host).reduce<remote.Command | undefined>(
      (previous, step) =>
        new remote.Command(
          `${name}-${host.name}-${step.name}`,
          {
            connection,
            create: remoteCommand(step, host.ssh.user),
            ...(step.stdin === undefined ? {} : { stdin: pulumi.secret(step.stdin) }),
            // sshd refuses these variables unless AcceptEnv lists them, and no step reads them.
            addPreviousOutputInEnv: false,
            logging: remote.Logging.Stderr,
          },
          {
            parent: this,
            dependsOn: previous ? [previous] : [],
            additionalSecretOutputs: ["stdout", "stderr"],
            customTimeouts: { create: "20m", update: "20m" },
          },
        ),
      undefined,
    ) as remote.Command;
  }

  /**
   * Labels and taints by server-side apply; all other fields of the Node remain those of the kubelet and controllers.
   */
  private describe(
    name: string,
    host: HostSettings,
    ours: Record<string, string>,
    prepared?: pulumi.Resource,
  ): pulumi.Resource[] {
    const metadata = { name: host.name, annotations: { "pulumi.com/patchForce": "true" } };
    const opts: pulumi.CustomResourceOptions = { parent: this, dependsOn: prepared ? [prepared] : [] };
    const taints = nodeTaints(host);
    // One patch for both: with the same field manager, a second patch would remove the fields of the first.
    return [
      new k8s.core.v1.NodePatch(
        `${name}-${host.name}-labels`,
        {
          metadata: { ...metadata, labels: ours },
          // spec.taints is an atomic list, so the last apply owns the whole list. Kubernetes restores its own taints
          // (cordoned, unreachable) soon after, and only dedicated hosts get any from here.
          ...(taints.length ? { spec: { taints } } : {}),
        },
        opts,
      ),
    ];
  }
}

function connectionTo(settings: Settings, host: HostSettings): types.input.remote.ConnectionArgs {
  const at = `hosts[${settings.hosts.indexOf(host)}].ssh`;
  const { ssh } = host;
  requireHostKey(`${at}.hostKey`, host.address, ssh.port, ssh.hostKey);
  // Without a key, the provider uses the SSH agent of the machine that Pulumi runs on.
  const privateKey = ssh.privateKey === undefined ? {} : { privateKey: pulumi.secret(ssh.privateKey) };
  const proxy = ssh.bastion && {
    host: ssh.bastion.host,
    port: ssh.bastion.port,
    user: ssh.bastion.user,
    hostKey: ssh.bastion.hostKey,
    ...privateKey,
  };
  if (ssh.bastion) requireHostKey(`${at}.bastion.hostKey`, ssh.bastion.host, ssh.bastion.port, ssh.bastion.hostKey);
  return {
    host: host.address,
    port: ssh.port,
    user: ssh.user,
    hostKey: ssh.hostKey,
    ...privateKey,
    dialErrorLimit: 10,
    perDialTimeout: 15,
    ...(proxy ? { proxy } : {}),
  };
}

/** Requires a host key, since the provider's SSH client trusts every machine without one. */
function requireHostKey(path: string, address: string, port: number, key: string | undefined): void {
  if (key) return;
  throw new Error(
    `${path}: missing. Without it any machine at ${address} would receive root commands. Read it on the host's console (/etc/ssh/ssh_host_ed25519_key.pub) or compare it there with the output of ssh-keyscan -p ${port} ${address}.`,
  );
}
