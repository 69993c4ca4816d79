/** The machines: prepared over SSH, then labelled for the scheduler. */
import { remote, type types } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../core/context";
import type { HostSettings, Settings } from "../../settings/types";
import { remoteCommand } from "./command";
import { nodeLabels, nodeTaints } from "./nodeRoles";
import { hostSteps } from "./steps";

export interface HostsArgs {
  ctx: StackContext;
}

export class Hosts extends pulumi.ComponentResource {
  /** What workloads depend on: every host prepared, every node labelled. */
  readonly ready: pulumi.Resource[] = [];

  constructor(name: string, args: HostsArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:hosts:Hosts", name, {}, opts);
    const { settings } = args.ctx;
    for (const host of settings.hosts) {
      const prepared = settings.prepareHosts ? this.prepare(name, settings, host) : undefined;
      this.ready.push(...this.describe(name, settings, host, prepared));
    }
    this.registerOutputs({});
  }

  /**
   * One command a step, one after the other. A changed script or connection runs the step again in place: there are no
   * triggers, which would replace. Nothing is undone on delete: a dead machine can leave the settings without being
   * reached, and no disk is ever touched by leaving.
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
            // sshd refuses these variables unless AcceptEnv names them, and no step reads them.
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

  /** Server-side apply of just these fields: everything else of the Node stays kubelet's and the controllers'. */
  private describe(
    name: string,
    settings: Settings,
    host: HostSettings,
    prepared?: pulumi.Resource,
  ): pulumi.Resource[] {
    const metadata = { name: host.name, annotations: { "pulumi.com/patchForce": "true" } };
    const opts: pulumi.CustomResourceOptions = { parent: this, dependsOn: prepared ? [prepared] : [] };
    const taints = nodeTaints(host);
    // One patch for both: they are applied under one name, and what the second left out would be taken from the first.
    return [
      new k8s.core.v1.NodePatch(
        `${name}-${host.name}-labels`,
        {
          metadata: { ...metadata, labels: nodeLabels(settings, host) },
          // The API knows spec.taints as one atomic list: the last to apply it owns all of it. Kubernetes puts its own
          // (cordoned, unreachable) back at its next pass, and only dedicated hosts are written to at all.
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
  // Without a key Pulumi asks the SSH agent of the machine that it runs on.
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

/** The SSH client of the provider trusts anybody when it is given no key. */
function requireHostKey(path: string, address: string, port: number, key: string | undefined): void {
  if (key) return;
  throw new Error(
    `${path}: missing. Without it any machine at ${address} would be trusted with root's commands. Take it from the host's console (/etc/ssh/ssh_host_ed25519_key.pub) or compare with ssh-keyscan -p ${port} ${address}.`,
  );
}
