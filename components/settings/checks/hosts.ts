/** The machines: told apart, reachable, and enough of each role. */
import type { CheckInput } from ".";
import type { HostRole } from "../../domain/roles";

/** Where errors about hosts as a whole, and about their roles, are. */
const ROLES = /^hosts(\[\d+\](\.roles?\b.*)?)?$/;

/** Least hosts of a role that survive the loss of one, and why. */
const LEAST: Partial<Record<HostRole, { count: number; why: string }>> = {
  application: { count: 3, why: "Redis elects its master by a majority of three Sentinels, each on a host of its own" },
  database: {
    count: 3,
    why: "a write is acknowledged by two PostgreSQL instances: with three, one may be lost without losing or refusing a write",
  },
  storage: {
    count: 3,
    why: "with two MinIO nodes a lost one takes half of the drives, and a write needs more than half; with three, two thirds remain",
  },
  call: { count: 2, why: "a call host carries its calls alone: when the only one is lost, nobody can call" },
};

export function checkHosts(given: CheckInput): void {
  checkDistinct(given);
  given.settings.hosts.forEach((host, i) => {
    checkSizes(given, i);
    if (host.roles.length === 0) {
      given.report.add(
        {
          path: `hosts[${i}].role`,
          given: "nothing",
          allowed: "one of control-plane, application, database, storage, call",
          remedy: `say what ${host.name} is for: role: application, or roles: [application, database]`,
        },
        [`hosts[${i}].roles`],
      );
    }
    checkDisks(given, i);
    if (given.settings.prepareHosts && host.ssh.hostKey === undefined) {
      given.report.add(
        {
          path: `hosts[${i}].ssh.hostKey`,
          given: "nothing",
          allowed: "the host's public key: without it any machine at that address would be trusted with root commands",
          remedy: `on the console of ${host.name}: cat /etc/ssh/ssh_host_ed25519_key.pub (or compare there what \`ssh-keyscan -t ed25519 ${host.address}\` prints); or prepareHosts: false when someone else prepares the hosts`,
        },
        [`hosts[${i}].hostKey`],
      );
    }
  });
  checkCounts(given);
}

function checkDistinct({ input, report }: CheckInput): void {
  const seen = new Map<string, string>();
  const unique = (value: string | undefined, path: string, what: string): void => {
    if (value === undefined) return;
    const key = `${what} ${value}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else
      report.add(
        {
          path,
          given: `"${value}", as ${first} is`,
          allowed: `a ${what} of its own for each host`,
          remedy: `correct one of ${first} and ${path}`,
        },
        [first],
      );
  };
  input.hosts.forEach((host, i) => {
    unique(host.name, `hosts[${i}].name`, "name");
    unique(host.address, `hosts[${i}].address`, "address");
    unique(host.publicAddress, `hosts[${i}].publicAddress`, "public address");
    unique(host.ssh.hostKey ?? host.hostKey, `hosts[${i}].${host.ssh.hostKey ? "ssh.hostKey" : "hostKey"}`, "host key");
  });
}

function checkSizes({ input, report }: CheckInput, i: number): void {
  const host = input.hosts[i];
  const missing = (key: "cpu" | "memoryGiB", what: string, command: string): void => {
    if (host[key] !== undefined || input.hostDefaults[key] !== undefined) return;
    report.add(
      {
        path: `hosts[${i}].${key}`,
        given: "nothing",
        allowed: `the ${what} that ${host.name} has; the plan checks that everything fits`,
        remedy: `run \`${command}\` on ${host.name}; or set hostDefaults.${key} for all`,
      },
      [`hostDefaults.${key}`],
    );
  };
  missing("cpu", "cores", "nproc");
  missing("memoryGiB", "GiB of memory", "free --gibi");
}

/** A disk's id is its own on one machine only: virtual machines often show the same ids. */
function checkDisks({ settings, report }: CheckInput, i: number): void {
  const host = settings.hosts[i];
  const needs = { database: "database", "object-store": "storage" } as const;
  host.disks.forEach((disk, d) => {
    const path = `hosts[${i}].disks[${d}]`;
    const first = host.disks.findIndex((other) => other.id === disk.id);
    if (first < d)
      report.add(
        {
          path: `${path}.id`,
          given: `"${disk.id}", as disks[${first}] is`,
          allowed: "each disk once",
          remedy: `remove one of them from ${host.name}`,
        },
        [`hosts[${i}].disks[${first}].id`],
      );
    const role = disk.use === "local" ? undefined : needs[disk.use];
    if (role && !host.roles.includes(role)) {
      report.add(
        {
          path: `${path}.use`,
          given: `"${disk.use}" on ${host.name}, whose roles are ${host.roles.join(", ") || "none"}`,
          allowed: `a host with the role ${role}, or use local`,
          remedy: `give ${host.name} the role ${role}, or change the disk's use`,
        },
        [`hosts[${i}].role`, `hosts[${i}].roles`],
      );
    }
  });
}

function checkCounts({ settings, report }: CheckInput): void {
  // Where a role is wrong already, who is missing is not known. Several roles may be short, all at one place.
  if (report.hasAt(ROLES)) return;
  const wanted: Partial<Record<HostRole, boolean>> = {
    application: true,
    database: true,
    storage: settings.objectStore.kind === "minio",
    call: settings.turn.enabled || settings.rtc.enabled,
  };
  const way: Partial<Record<HostRole, string>> = {
    storage: "; or use an S3 that exists (objectStore.kind: s3)",
    call: "; or switch calls off (turn.enabled: false and rtc.enabled: false)",
  };
  for (const [role, { count, why }] of Object.entries(LEAST) as Array<[HostRole, { count: number; why: string }]>) {
    const have = settings.hosts.filter((host) => host.roles.includes(role)).length;
    const instances = role === "database" ? Math.max(count, settings.overrides.postgres.instances ?? 0) : count;
    if (!wanted[role] || have >= instances) continue;
    report.addAnother({
      path: "hosts",
      given: `${have} ${have === 1 ? "host" : "hosts"} with the role ${role}`,
      allowed: `at least ${instances}: ${instances > count ? `overrides.postgres.instances is ${instances}, each on a host of its own` : why}`,
      remedy: `add ${instances - have} ${role} ${instances - have === 1 ? "host" : "hosts"}, or give the role to hosts that exist${way[role] ?? ""}`,
    });
  }
}
