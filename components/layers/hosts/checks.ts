/** Cross-field checks of the hosts: names and addresses, sizes, roles, disks, keys, trusted networks. */
import type { CheckInput } from "../../core/layer";
import { isWholeInternet } from "../../core/addresses";

export function checkHosts(given: CheckInput): void {
  checkDistinct(given);
  given.settings.hosts.forEach((host, i) => {
    checkSizes(given, i);
    checkMemory(given, i);
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
          allowed: "the host's public key; without it any machine at that address would receive root commands",
          remedy: `on the console of ${host.name}: cat /etc/ssh/ssh_host_ed25519_key.pub (or compare it there with the output of \`ssh-keyscan -t ed25519 ${host.address}\`); or set prepareHosts: false and prepare the hosts yourself`,
        },
        [`hosts[${i}].hostKey`],
      );
    }
  });
  checkTrusted(given);
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
          given: `"${value}", the same as ${first}`,
          allowed: `a different ${what} for each host`,
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
        allowed: `the ${what} of ${host.name}; the plan checks that everything fits`,
        remedy: `run \`${command}\` on ${host.name}; or set hostDefaults.${key} for all hosts`,
      },
      [`hostDefaults.${key}`],
    );
  };
  missing("cpu", "cores", "nproc");
  missing("memoryGiB", "GiB of memory", "free --gibi");
}

/**
 * GiB for each core that no machine has: 24 TiB for 448 cores, 55 GiB each, are the most that are sold for memory
 * (AWS u-24tb1, https://aws.amazon.com/ec2/instance-types/high-memory/). More is a number in another unit.
 */
const MOST_PER_CORE = 64;
/** A small machine may have much memory for one core. */
const PLAUSIBLE_GIB = 512;

function checkMemory({ input, settings, report }: CheckInput, i: number): void {
  const { cpu, memoryGiB, name } = settings.hosts[i];
  if (!(memoryGiB > PLAUSIBLE_GIB && memoryGiB > MOST_PER_CORE * cpu)) return;
  const path = input.hosts[i].memoryGiB === undefined ? "hostDefaults.memoryGiB" : `hosts[${i}].memoryGiB`;
  report.add(
    {
      path,
      given: `${memoryGiB} GiB with ${cpu} cores (${name})`,
      allowed: `GiB, at most ${MOST_PER_CORE} for each core: no machine has more`,
      remedy: `${memoryGiB % 1024 === 0 ? `if these are MiB, write ${memoryGiB / 1024}; else ` : ""}run \`free --gibi\` on the machine`,
    },
    [`hosts[${i}].cpu`, "hostDefaults.cpu", "hosts"],
  );
}

/** A disk's id is unique on its machine only: virtual machines often have disks with the same ids. */
function checkDisks({ settings, report }: CheckInput, i: number): void {
  const host = settings.hosts[i];
  const needs = { database: "database", wal: "database", "object-store": "storage" } as const;
  host.disks.forEach((disk, d) => {
    const path = `hosts[${i}].disks[${d}]`;
    const first = host.disks.findIndex((other) => other.id === disk.id);
    if (first < d)
      report.add(
        {
          path: `${path}.id`,
          given: `"${disk.id}", the same as disks[${first}]`,
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

function checkTrusted({ input, report }: CheckInput): void {
  input.firewall.trustedCidrs.forEach((text, i) => {
    if (!isWholeInternet(text)) return;
    report.add({
      path: `firewall.trustedCidrs[${i}]`,
      given: text,
      allowed: "networks of your own: they reach every port, including those of the databases",
      remedy:
        "name the networks; public services need no entry here. To switch the filter off: firewall.enabled: false",
    });
  });
}
