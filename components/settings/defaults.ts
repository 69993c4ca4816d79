/** Parsed settings made complete: the defaults that depend on other settings. Pure. */
import { familyOf, hostCidr } from "../core/addresses";
import type { SettingsInput } from "./schema";
import type { HostSettings, Settings, StorageClassSettings } from "./types";

/** Above this number presence is off unless set: its cost grows with the square of the room sizes. */
export const PRESENCE_MAX_CCU = 5000;

export function complete(input: SettingsInput, instance: string): Settings {
  const { domain } = input;
  const hosts = input.hosts.map((host) => completeHost(host, input));
  return {
    instance,
    ccu: input.ccu,
    domain,
    serverName: input.serverName ?? domain,
    hostnames: completeHostnames(input.hostnames, domain),
    hosts,
    prepareHosts: input.prepareHosts,
    firewall: input.firewall,
    cluster: completeCluster(input),
    addressPools: input.addressPools,
    storage: {
      database: completeClass(input.storage.database, "matrix-ha-database"),
      objectStore: completeClass(input.storage.objectStore, "matrix-ha-object-store"),
      general: completeClass(input.storage.general, "matrix-ha-general"),
    },
    tls: input.tls,
    federation: input.federation,
    registration: input.registration,
    presence: { enabled: input.presence.enabled ?? input.ccu <= PRESENCE_MAX_CCU },
    ...(input.sso ? { sso: input.sso } : {}),
    media: completeMedia(input.media),
    ...(input.retention ? { retention: input.retention } : {}),
    objectStore: input.objectStore,
    backups: input.backups,
    turn: input.turn,
    rtc: input.rtc,
    web: completeWeb(input.web),
    monitoring: input.monitoring,
    images: { ...input.images, overrides: defined(input.images.overrides as Record<string, string | undefined>) },
    networkPolicies: {
      enabled: input.networkPolicies.enabled,
      apiServerCidrs: input.networkPolicies.apiServerCidrs ?? apiServerCidrs(hosts),
    },
    importSecrets: input.importSecrets,
    oldSigningKeys: input.oldSigningKeys,
    deletionProtection: input.deletionProtection,
    ...(input.savedKeys !== undefined ? { savedKeys: input.savedKeys } : {}),
    stopSynapse: input.stopSynapse,
    ...(input.emailSmtp ? { emailSmtp: input.emailSmtp } : {}),
    overrides: { ...input.overrides, pools: defined(input.overrides.pools) },
  };
}

const completeHostnames = (given: SettingsInput["hostnames"], domain: string): Settings["hostnames"] => ({
  homeserver: given.homeserver ?? `matrix.${domain}`,
  web: given.web ?? `chat.${domain}`,
  admin: given.admin ?? `admin.${domain}`,
  rtc: given.rtc ?? `rtc.${domain}`,
  turn: given.turn ?? `turn.${domain}`,
});

const completeCluster = ({ cluster, monitoring }: SettingsInput): Settings["cluster"] => ({
  ...cluster,
  ipFamilies: cluster.ipFamilies ?? [...new Set(cluster.serviceCidrs.map(familyOf))],
  install: {
    ...cluster.install,
    prometheusOperator:
      cluster.install.prometheusOperator ?? (monitoring.enabled && monitoring.prometheus === "install"),
  },
});

/** 0 days keep for ever. */
const completeMedia = (media: SettingsInput["media"]): Settings["media"] => ({
  maxUploadMiB: media.maxUploadMiB,
  urlPreviews: media.urlPreviews,
  cacheGiB: media.cacheGiB,
  ...(media.remoteRetentionDays > 0 ? { remoteRetentionDays: media.remoteRetentionDays } : {}),
  ...(media.localRetentionDays > 0 ? { localRetentionDays: media.localRetentionDays } : {}),
});

const completeWeb = ({ elementWeb, admin, jitsiDomain, supportContact }: SettingsInput["web"]): Settings["web"] => ({
  elementWeb,
  admin: { enabled: admin.enabled, allowCidrs: admin.allowCidrs },
  ...(jitsiDomain ? { jitsiDomain } : {}),
  ...(supportContact ? { supportContact } : {}),
});

/** A host with what it does not state taken from hostDefaults and ssh. */
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

const completeClass = (
  given: Omit<StorageClassSettings, "name"> & { name?: string },
  name: string,
): StorageClassSettings => ({ ...given, name: given.name ?? name });

const defined = <T>(record: Record<string, T | undefined>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined));

function apiServerCidrs(hosts: HostSettings[]): string[] {
  const masters = hosts.filter((host) => host.roles.includes("control-plane")).map((host) => hostCidr(host.address));
  return masters.length > 0 ? masters : ["0.0.0.0/0", "::/0"];
}
