/**
 * The settings of a stack after defaults have been filled in: what every other layer reads.
 * What the operator may write (all of it optional except what a minimal stack needs) is in schema/.
 * Pure values: this file never imports @pulumi/*.
 */
import type { ImportableSecret } from "../domain/importableSecrets";
import type { HostRole } from "../domain/roles";

export interface DiskSettings {
  /** Stable path, `/dev/disk/by-id/...`: names like /dev/sdb move between boots. */
  id: string;
  /** What it holds: PostgreSQL data and WAL, MinIO drives, or the node's local volumes in general. */
  use: "database" | "object-store" | "local";
  sizeGiB: number;
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

export interface SshSettings {
  user: string;
  port: number;
  /** The host's public key, as in known_hosts ("ssh-ed25519 AAAA..."); checked at every connection. */
  hostKey?: string;
  /** PEM; a secret. */
  privateKey?: string;
  bastion?: { host: string; port: number; user: string; hostKey?: string };
}

export interface AddressPoolSettings {
  name: string;
  /** CIDRs or ranges ("10.0.0.10-10.0.0.20"). */
  addresses: string[];
  /** Which public service takes its address here. */
  use: Array<"ingress" | "any">;
}

/** Where a class of volumes comes from: made by this stack over a provisioner, or one that exists. */
export interface StorageClassSettings {
  /** Name of the StorageClass that volumes ask for. */
  name: string;
  /** True: this stack makes it. False: it exists already. */
  create: boolean;
  /** Provisioner of a made class; the default serves local disks with WaitForFirstConsumer. */
  provisioner: string;
  parameters: Record<string, string>;
}

export type TlsSettings =
  | { mode: "acme"; email: string; server: string; /** HTTP-01 through the ingress */ solver: "http01" }
  | { mode: "own-ca" }
  | { mode: "given"; /** PEM chain */ certificate: string; /** PEM, a secret */ privateKey: string };

export interface S3Settings {
  endpoint: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
}

export interface PoolOverride {
  replicas?: number;
  maxReplicas?: number;
  cpu?: number;
  memoryMiB?: number;
  cpMax?: number;
}

export interface Settings {
  /** Name of the deployment: the Pulumi stack. Only a label; nothing branches on it. */
  instance: string;
  /** Concurrent users: the one number. */
  ccu: number;
  /** Base of the public host names. */
  domain: string;
  /** The `:server` part of user ids. Can never be changed later. Default: `domain`. */
  serverName: string;
  hostnames: {
    homeserver: string;
    web: string;
    admin: string;
    rtc: string;
    turn: string;
  };
  hosts: HostSettings[];
  prepareHosts: boolean;
  cluster: {
    /** kubeconfig contents; a secret. Absent: the ambient one. */
    kubeconfig?: string;
    context?: string;
    /** DNS domain of the cluster. */
    domain: string;
    podCidrs: string[];
    serviceCidrs: string[];
    ipFamilies: Array<"IPv4" | "IPv6">;
    /** What this stack installs; false where the cluster has it already. */
    install: {
      cloudNativePg: boolean;
      barmanPlugin: boolean;
      metallb: boolean;
      certManager: boolean;
      ingressController: boolean;
      metricsServer: boolean;
      localPathProvisioner: boolean;
      prometheusOperator: boolean;
    };
    /** IngressClass that the Ingress objects name. */
    ingressClass: string;
    /** Namespace of an ingress controller that is not this stack's: its pods are let in to the public backends. */
    ingressNamespace: string;
  };
  addressPools: AddressPoolSettings[];
  storage: { database: StorageClassSettings; objectStore: StorageClassSettings; general: StorageClassSettings };
  tls: TlsSettings;
  federation: { enabled: boolean; domainAllowList?: string[] };
  registration: {
    enabled: boolean;
    requireEmail: boolean;
    allowGuests: boolean;
    /** A token that the administrator gives out is needed. */
    requireToken?: boolean;
    /**
     * Neither e-mail nor token is needed, and the operator insists (Synapse: enable_registration_without_verification).
     */
    allowOpen?: boolean;
  };
  presence: { enabled: boolean };
  sso?: {
    oidc: Array<{ id: string; name: string; issuer: string; clientId: string; clientSecret: string; scopes: string[] }>;
    passwordLogin: boolean;
  };
  media: {
    maxUploadMiB: number;
    /** Remote media not accessed for so long are deleted from cache. Days; absent keeps for ever. */
    remoteRetentionDays?: number;
    /** Local media not accessed for so long are deleted. Days; absent keeps for ever. */
    localRetentionDays?: number;
    urlPreviews: boolean;
    /** Bound of each media pod's local cache, GiB. */
    cacheGiB: number;
  };
  /** Message retention: absent keeps for ever. */
  retention?: { maxLifetimeDays: number };
  objectStore: { kind: "minio"; driveGiB?: number } | ({ kind: "s3" } & S3Settings);
  backups: {
    enabled: boolean;
    /** Where base backups and WAL go; the stack's own object store does not survive the loss of the site. */
    target: { kind: "object-store" } | ({ kind: "s3" } & S3Settings);
    /** Six-field cron, as CNPG's ScheduledBackup wants (seconds first). */
    schedule: string;
    retentionDays: number;
    /** Folder of the target that this database writes to. A restored database needs another than its source's. */
    archiveName: string;
    /** A database that does not exist is made from this archive instead of empty; one that exists is left alone. */
    restore?: {
      from: string;
      /** RFC 3339, with zone. Absent: the latest moment that is there. */ targetTime?: string;
    };
  };
  turn: { enabled: boolean; minPort: number; maxPort: number; tlsPort: number; allowedPrivateCidrs: string[] };
  rtc: {
    enabled: boolean;
    udpPortMin: number;
    udpPortMax: number;
    tcpPort: number;
    /** lk-jwt-service beside the SFU. Default true; false where tokens come from elsewhere. */
    jwtService?: boolean;
  };
  web: {
    elementWeb: { enabled: boolean; brand: string };
    admin: { enabled: boolean; allowCidrs: string[] };
    jitsiDomain?: string;
    /** Whom other operators and users may ask: served as /.well-known/matrix/support. Absent: not served. */
    supportContact?: { email?: string; matrixId?: string; page?: string };
  };
  monitoring: {
    enabled: boolean;
    /** "install": operator, Prometheus and Alertmanager here; "existing": only monitors and rules for one that runs. */
    prometheus: "install" | "existing";
    retentionDays: number;
    /** Labels that an existing Prometheus selects monitors and rules by. */
    selectorLabels: Record<string, string>;
    grafanaDashboards: boolean;
    /** Run Grafana itself, where Prometheus is installed. */
    grafana: boolean;
    /** Seconds between two scrapes of each target. */
    scrapeIntervalSeconds: number;
    /**
     * Where Alertmanager posts alerts (its webhook format, with a bearer token). Absent: alerts are only kept and
     * shown.
     */
    alertWebhook?: string;
  };
  images: { mirror?: string; pullSecret?: string; overrides: Record<string, string> };
  /** The hosts' own packet filter. Absent: on, and only the cluster's machines and pods are trusted. */
  firewall?: {
    enabled: boolean;
    /** Who else may reach every port of the hosts: monitoring, backup, a second site. */ trustedCidrs: string[];
  };
  networkPolicies: { enabled: boolean; apiServerCidrs: string[] };
  /** Secrets of an existing deployment, imported instead of generated. */
  importSecrets: Partial<Record<ImportableSecret, string>>;
  /** Public keys that the server signed with before; it tells other servers that they were its own. */
  oldSigningKeys: OldSigningKey[];
  deletionProtection: boolean;
  /**
   * Fingerprint of the keys that the operator has a copy of (`npm run keys -- save` prints it), or DISPOSABLE.
   * Absent: keys whose loss is fatal stay protected, whatever deletionProtection says.
   * @example "91c2-07fe-5d3a-b840"
   */
  savedKeys?: string;
  /** No process of Synapse runs; everything else does. */
  stopSynapse: boolean;
  emailSmtp?: { host: string; port: number; user?: string; password?: string; from: string };
  overrides: {
    pools: Record<string, PoolOverride>;
    postgres: {
      instances?: number;
      cpu?: number;
      memoryMiB?: number;
      storageGiB?: number;
      walStorageGiB?: number;
      maxConnections?: number;
      parameters: Record<string, string>;
      poolerInstances?: number;
    };
    redis: { instances?: number; memoryMiB?: number; cpu?: number };
    minio: {
      nodes?: number;
      /** Nodes of each MinIO server pool, oldest first; only ever append. Default: pools of four. */ pools?: number[];
      drivesPerNode?: number;
      parity?: number;
      driveGiB?: number;
      cpu?: number;
      memoryMiB?: number;
    };
    router: { replicas?: number; cpu?: number; memoryMiB?: number };
    ingress: { replicas?: number; cpu?: number; memoryMiB?: number };
    turn: { cpu?: number; memoryMiB?: number };
    rtc: { replicas?: number; cpu?: number; memoryMiB?: number };
    web: { replicas?: number; cpu?: number; memoryMiB?: number };
    monitoring: { replicas?: number; cpu?: number; memoryMiB?: number; storageGiB?: number };
    synapse: { globalCacheFactor?: number; eventCacheSize?: string; logLevel?: string };
  };
}

export interface OldSigningKey {
  /** `ed25519:a_abcd` */
  id: string;
  /** Public key, base64. */
  key: string;
  /** RFC 3339, with zone: what it signed until then counts. */
  expiredAt: string;
}

/** One thing that is wrong with the settings, in words that say what to do. */
export interface SettingsError {
  /** Where, as the operator writes it: `hosts[2].address`. */
  path: string;
  /** What was given; never the value of a secret. */
  given: string;
  allowed: string;
  remedy: string;
}
