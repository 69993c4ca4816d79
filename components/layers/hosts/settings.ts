/** Settings of the hosts: roles, sizes, disks, SSH, packet filter. Pure. */
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
      doc: `SSH public key of ${who}, checked at every connection. Without it any machine at that address would be trusted.`,
      allowed: "a key in the form of known_hosts: `ssh-ed25519 AAAA...`",
      remedy:
        "read it on the machine's console (/etc/ssh/ssh_host_ed25519_key.pub), or compare it there with the output of `ssh-keyscan -t ed25519 ADDRESS`",
    },
    (value) => hostKeyProblem(value) === undefined,
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  );

const user = (defaultText?: string) =>
  text(
    { defaultText, doc: "Login name. Users other than root need sudo without a password.", allowed: "a login name" },
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
      doc: "Private key, PEM or OpenSSH, without a passphrase. Absent: the SSH agent of the person who runs Pulumi.",
      allowed: "a complete private key, PEM or OpenSSH, without a passphrase",
      remedy:
        "pulumi config set --secret --path 'matrix-ha:ssh.privateKey' < KEYFILE; or leave it out and use an SSH agent",
    },
    (value) => sshPrivateKeyProblem(value) === undefined,
  ).optional(),
  bastion: bastion().optional(),
};

/** Sizes of a machine. A host's own value takes precedence over hostDefaults. */
const sizeFields = {
  cpu: decimal(1, 1024, {
    doc: "Cores (hardware threads) of the machine. The plan checks that everything fits.",
    allowed: "the number of cores, from 1",
    defaultText: "that of hostDefaults, else **required**",
    remedy: "run `nproc` on the machine",
  }).optional(),
  memoryGiB: decimal(1, 16384, {
    doc: "Memory of the machine, GiB.",
    allowed: "GiB of memory, from 1",
    defaultText: "that of hostDefaults, else **required**",
    remedy: "run `free --gibi` on the machine",
  }).optional(),
  zone: text(
    {
      doc: "Failure domain, such as a rack or a room. Replicas are spread over zones.",
      allowed: "letters, digits, '-', '_' and '.', at most 63",
    },
    (v) => LABEL_VALUE.test(v),
  ).optional(),
};

const disk = section(
  {
    id: text(
      {
        doc: "Stable path of the whole disk. Names like /dev/sdb can change at a boot.",
        allowed: "a path below /dev/disk/by-id/",
        remedy: "run `ls -l /dev/disk/by-id/` on the machine and take the entry of the whole disk",
      },
      (v) => /^\/dev\/disk\/by-id\/[A-Za-z0-9._:+@=-]+$/.test(v),
      "/dev/disk/by-id/example",
    ),
    use: oneOf(["database", "wal", "object-store", "local"], {
      doc: "Purpose: `database` for PostgreSQL's data, and for its WAL too where no disk has the use `wal` (it then gets a file system of fixed size on this one), `wal` for nothing but its WAL, `object-store` for one MinIO drive, `local` for other local volumes.",
    }),
    sizeGiB: decimal(1, 1_000_000, { doc: "Size of the disk, GiB.", remedy: "run `lsblk --bytes` on the machine" }),
  },
  { doc: "A disk that this stack formats, if it is blank, and mounts." },
);

const roleDoc = {
  doc: "Purpose of the host: `control-plane`, `application`, `database`, `storage`, `call` (TURN and SFU).",
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
      doc: "Several roles on one machine, instead of `role`.",
      allowed: `a list of ${HOST_ROLES.join(", ")}`,
    }).optional(),
    publicAddress: address({
      doc: "Address at which clients on the Internet reach this host (TURN and SFU), if it differs from `address`.",
    }).optional(),
    ...sizeFields,
    disks: list(disk, { doc: "Disks that this stack may use." }).default([]),
    ssh: section(
      { ...sshFields, hostKey: hostKey("the host", "**required** while prepareHosts is true").optional() },
      { doc: "SSH access to this host. Fields that are left out are taken from the top-level `ssh`." },
    ).prefault({}),
    hostKey: hostKey("the host", "ssh.hostKey; this is a shorter place for the same key").optional(),
  },
  { doc: "A machine.", allowed: "a host with name, address, role or roles, cpu, memoryGiB" },
);

export const hostSettings = {
  hosts: field(z.array(host).min(1), {
    doc: "The machines. Each is a node of the cluster.",
    allowed: "a list of at least one host",
    remedy:
      "list every machine with name, address, role, cpu and memoryGiB; `npm run plan -- --ccu N` prints how many are needed",
  }),
  hostDefaults: section(sizeFields, { doc: "Sizes of all hosts that do not have their own." }).prefault({}),
  ssh: section(sshFields, { doc: "SSH access to all hosts that do not have their own." }).prefault({}),
  firewall: section(
    {
      enabled: field(z.boolean(), {
        doc: "Filter packets on the hosts. Open are SSH and the public ports of each role, and everything between the cluster's machines and pods.",
        allowed: "true or false",
        example: true,
      }).default(true),
      trustedCidrs: list(cidr({ doc: "Network." }), {
        doc: "Further networks that may reach every port of the hosts: monitoring, backup, a second site.",
      }).default([]),
    },
    { doc: "The hosts' packet filter." },
  ).prefault({}),
  prepareHosts: field(z.boolean(), {
    doc: "Prepare the hosts over SSH: packages, kernel modules, sysctls, swap, time, disks, firewall. False: you prepare them yourself.",
    allowed: "true or false",
    example: true,
  }).default(true),
};

/** A disk in complete settings. */
export type DiskSettings = z.output<typeof disk>;

/** SSH access to one host. */
export interface SshSettings {
  /** Login name; users other than root need sudo without a password. */
  user: string;
  port: number;
  /** The host's public key in the form of known_hosts (`ssh-ed25519 AAAA...`), checked at every connection. */
  hostKey?: string;
  /** PEM or OpenSSH; a secret. @default the SSH agent of the person who runs Pulumi */
  privateKey?: string;
  /** A machine that connections pass through. @default none */
  bastion?: { host: string; port: number; user: string; hostKey?: string };
}

/** A host in complete settings. */
export interface HostSettings {
  /** Name of the Kubernetes node. */
  name: string;
  /** Address that SSH and the cluster use. */
  address: string;
  /** At least one, each once. */
  roles: HostRole[];
  /** Failure domain, over which replicas are spread. @default none */
  zone?: string;
  /** Address for clients on the Internet (TURN and SFU). @default `address` */
  publicAddress?: string;
  /** Cores (hardware threads). */
  cpu: number;
  memoryGiB: number;
  /** Disks for this stack's data. */
  disks: DiskSettings[];
  ssh: SshSettings;
}

/** The sections of this layer with all defaults. */
export interface HostsCompleted {
  hosts: HostSettings[];
}

/** Fills in what each host takes from hostDefaults and ssh. */
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
