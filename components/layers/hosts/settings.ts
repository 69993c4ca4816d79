import { z } from "zod";
import { HOST_ROLES, type HostRole } from "../../domain/roles";
import { hostKeyProblem, sshPrivateKeyProblem } from "../../schema/syntax/keys";
import { isDnsName, LABEL_VALUE } from "../../schema/syntax/text";
import { address, cidr, decimal, field, list, oneOf, port, secret, section, text } from "../../schema/fields";
import type { SettingsInput } from "../../settings/schema";

const hostKey = (who: string, defaultText?: string) =>
  text(
    {
      defaultText,
      doc: `Public key of ${who}, checked at every connection: without it any machine at that address would be trusted.`,
      allowed: "a key as known_hosts has it: `ssh-ed25519 AAAA...`",
      remedy:
        "take it from the machine's console (/etc/ssh/ssh_host_ed25519_key.pub), or compare there what `ssh-keyscan -t ed25519 ADDRESS` prints",
    },
    (value) => hostKeyProblem(value) === undefined,
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  );

const user = (defaultText?: string) =>
  text(
    { defaultText, doc: "Login name. Anyone but root needs sudo without a password.", allowed: "a login name" },
    (v) => /^[a-z_][a-z0-9_.-]{0,31}$/i.test(v),
    "root",
  );

const bastion = () =>
  section(
    {
      host: text(
        {
          doc: "Address or DNS name of the machine that connections pass through.",
          allowed: "an address or a DNS name",
        },
        (v) => isDnsName(v) || /^[0-9a-f.:]+$/i.test(v),
        "192.0.2.1",
      ),
      port: port({ doc: "Its SSH port." }).default(22),
      user: user().default("root"),
      hostKey: hostKey("the bastion"),
    },
    { doc: "A machine that SSH connections pass through." },
  );

const sshFields = {
  user: user("root").optional(),
  port: port({ doc: "SSH port.", defaultText: "22" }).optional(),
  privateKey: secret(
    {
      doc: "Private key, PEM or OpenSSH, without passphrase. Absent: the SSH agent of the person who runs Pulumi.",
      allowed: "a whole private key block, PEM or OpenSSH, without passphrase",
      remedy:
        "pulumi config set --secret --path 'matrix-ha:ssh.privateKey' < KEYFILE; or leave it out and use an SSH agent",
    },
    (value) => sshPrivateKeyProblem(value) === undefined,
  ).optional(),
  bastion: bastion().optional(),
};

/** Sizes of a machine; a host's own value wins over hostDefaults. */
const sizeFields = {
  cpu: decimal(1, 1024, {
    doc: "Cores (threads) that the machine has; the plan checks that everything fits.",
    allowed: "the number of cores, from 1",
    defaultText: "that of hostDefaults, else **required**",
    remedy: "run `nproc` on the machine",
  }).optional(),
  memoryGiB: decimal(1, 16384, {
    doc: "Memory that the machine has, GiB.",
    allowed: "GiB of memory, from 1",
    defaultText: "that of hostDefaults, else **required**",
    remedy: "run `free --gibi` on the machine",
  }).optional(),
  zone: text(
    {
      doc: "Failure domain (rack, room). Replicas spread over zones.",
      allowed: "letters, digits, '-', '_' and '.', at most 63",
    },
    (v) => LABEL_VALUE.test(v),
  ).optional(),
};

const disk = section(
  {
    id: text(
      {
        doc: "Stable path of the whole disk. Names like /dev/sdb move between boots.",
        allowed: "a path below /dev/disk/by-id/",
        remedy: "run `ls -l /dev/disk/by-id/` on the machine and take the entry of the whole disk",
      },
      (v) => /^\/dev\/disk\/by-id\/[A-Za-z0-9._:+@=-]+$/.test(v),
      "/dev/disk/by-id/example",
    ),
    use: oneOf(["database", "object-store", "local"], {
      doc: "What it holds: PostgreSQL's data and WAL, one MinIO drive, or local volumes in general.",
    }),
    sizeGiB: decimal(1, 1_000_000, { doc: "Size, GiB.", remedy: "run `lsblk --bytes` on the machine" }),
  },
  { doc: "A disk that this stack formats (only when it is blank) and mounts." },
);

const roleDoc = {
  doc: "What the host is for: `control-plane`, `application`, `database`, `storage`, `call` (TURN and SFU).",
  remedy: "choose from the roles; a host may carry several: roles: [application, database]",
};

const host = section(
  {
    name: text(
      {
        doc: "Name of the Kubernetes node, as `kubectl get nodes` shows it.",
        allowed: "a node name: lower-case letters, digits, '-' and '.'",
      },
      (v) => isDnsName(v) && v.length <= 63,
      "host",
    ),
    address: address({ doc: "Address that SSH and the cluster use." }),
    role: oneOf(HOST_ROLES, roleDoc).optional(),
    roles: list(oneOf(HOST_ROLES, roleDoc), {
      doc: "Several roles on one machine; in place of `role`.",
      allowed: `a list of ${HOST_ROLES.join(", ")}`,
    }).optional(),
    publicAddress: address({
      doc: "Address at which clients on the Internet reach this host (TURN and SFU), when it is not `address`.",
    }).optional(),
    ...sizeFields,
    disks: list(disk, { doc: "Disks that this stack may use." }).default([]),
    ssh: section(
      { ...sshFields, hostKey: hostKey("the host", "**required** while prepareHosts is true").optional() },
      { doc: "Access to this host; fields left out come from the top-level `ssh`." },
    ).prefault({}),
    hostKey: hostKey("the host", "the same as ssh.hostKey, written shorter").optional(),
  },
  { doc: "A machine.", allowed: "a host with name, address, role or roles, cpu, memoryGiB" },
);

export const hostSettings = {
  hosts: field(z.array(host).min(1), {
    doc: "The machines, each a node of the cluster.",
    allowed: "a list of at least one host",
    remedy:
      "list every machine with name, address, role, cpu and memoryGiB; `npm run plan -- --ccu N` prints how many are needed",
    example: [],
  }),
  hostDefaults: section(sizeFields, { doc: "Sizes of every host that does not state its own." }).prefault({}),
  ssh: section(sshFields, { doc: "Access to every host that does not state its own." }).prefault({}),
  firewall: section(
    {
      enabled: field(z.boolean(), {
        doc: "The hosts' own packet filter: SSH, the public ports of each role, everything among the cluster's machines and pods.",
        allowed: "true or false",
        example: true,
      }).default(true),
      trustedCidrs: list(cidr({ doc: "Network." }), {
        doc: "Who else may reach every port of the hosts: monitoring, backup, a second site.",
      }).default([]),
    },
    { doc: "The hosts' packet filter." },
  ).prefault({}),
  prepareHosts: field(z.boolean(), {
    doc: "Prepare the hosts over SSH: kernel modules, sysctls, swap, time, disks, firewall, labels. False: someone else does.",
    allowed: "true or false",
    example: true,
  }).default(true),
};

/** Names in Settings for what is written about one machine. */
export type DiskSettings = z.output<typeof disk>;

export interface SshSettings {
  user: string;
  port: number;
  /** The host's public key, as in known_hosts ("ssh-ed25519 AAAA..."); checked at every connection. */
  hostKey?: string;
  /** PEM; a secret. */
  privateKey?: string;
  bastion?: { host: string; port: number; user: string; hostKey?: string };
}

export interface HostSettings {
  /** Kubernetes node name. */
  name: string;
  /** Address that SSH and the cluster use. */
  address: string;
  roles: HostRole[];
  /** Failure domain (rack, room); used for spreading. */
  zone?: string;
  /** Address that clients on the Internet reach (TURN and SFU), when it is not `address`. */
  publicAddress?: string;
  cpu: number;
  memoryGiB: number;
  disks: DiskSettings[];
  ssh: SshSettings;
}

export interface HostsCompleted {
  hosts: HostSettings[];
}

/** Each host with what it does not state taken from hostDefaults and ssh. */
export const completeHosts = (input: SettingsInput): HostsCompleted => ({
  hosts: input.hosts.map((host) => completeHost(host, input)),
});

function completeHost(host: SettingsInput["hosts"][number], input: SettingsInput): HostSettings {
  const { hostDefaults } = input;
  const zone = host.zone ?? hostDefaults.zone;
  return {
    name: host.name,
    address: host.address,
    roles: [...new Set([...(host.role ? [host.role] : []), ...(host.roles ?? [])])],
    ...(zone ? { zone } : {}),
    ...(host.publicAddress ? { publicAddress: host.publicAddress } : {}),
    cpu: host.cpu ?? hostDefaults.cpu ?? 1,
    memoryGiB: host.memoryGiB ?? hostDefaults.memoryGiB ?? 1,
    disks: host.disks,
    ssh: completeSsh(host, input.ssh),
  };
}

function completeSsh(host: SettingsInput["hosts"][number], ssh: SettingsInput["ssh"]): HostSettings["ssh"] {
  const hostKey = host.ssh.hostKey ?? host.hostKey;
  const privateKey = host.ssh.privateKey ?? ssh.privateKey;
  const bastion = host.ssh.bastion ?? ssh.bastion;
  return {
    user: host.ssh.user ?? ssh.user ?? "root",
    port: host.ssh.port ?? ssh.port ?? 22,
    ...(hostKey ? { hostKey } : {}),
    ...(privateKey ? { privateKey } : {}),
    ...(bastion ? { bastion } : {}),
  };
}
