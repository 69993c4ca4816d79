/**
 * Two data centres as two namespaces of one cluster: the database of each as the stack renders it, with an archive in
 * the form that the lab has. Pure.
 */
import { SECRETS, SERVICES } from "../../components/core/names";
import { centreOf } from "../../components/domain/dataCentre";
import { IMPORTABLE_SECRETS } from "../../components/domain/importableSecrets";
import { archiveSpec, objectStoreSpec, type BackupTarget } from "../../components/layers/postgres/backups";
import { cnpgClusterSpec } from "../../components/layers/postgres/cnpgCluster";
import { STREAM_ROLE, STREAM_SECRET } from "../../components/layers/postgres/topology";
import { plan } from "../../components/plan";
import { resolveSettings, SECRET_PLACEHOLDER } from "../../components/settings";
import type { Settings } from "../../components/settings/types";

export const CENTRES = ["dc1", "dc2"] as const;
export type Name = (typeof CENTRES)[number];

export const namespaceOf = (centre: Name): string => `dr-${centre}`;
export const ARCHIVE_NAMESPACE = "dr-archive";
/** As the stacks say: a third place. Here it is a pod beside them. */
const ARCHIVE = "https://archive.example.net",
  ARCHIVE_HERE = `http://archive.${ARCHIVE_NAMESPACE}.svc.cluster.local:9000`;
const ARCHIVE_SECRET = "archive";
/** Addresses of the lab's pool that nothing else takes. */
const STREAM: Record<Name, string> = { dc1: "10.77.0.209", dc2: "10.77.0.210" };

/** Where the two are, as all their stacks say. */
export interface Situation {
  primary: Name;
  promotionToken?: string;
  confirmLost?: Name;
  generations?: Partial<Record<Name, number>>;
}

type Config = Record<string, any>;

/** @param lab The settings of the local stack. */
export function centreConfig(lab: Config, self: Name, { generations = {}, ...situation }: Situation): Config {
  const s3 = (bucket: string): Config => ({
    endpoint: ARCHIVE,
    bucket,
    accessKey: SECRET_PLACEHOLDER,
    secretKey: SECRET_PLACEHOLDER,
  });
  return {
    ...lab,
    cluster: { ...lab.cluster, install: { ...lab.cluster.install, barmanPlugin: true } },
    backups: {},
    objectStore: { kind: "s3", ...s3("media") },
    overrides: {
      ...lab.overrides,
      minio: undefined,
      // The real stack's database stays beside them on the same disks.
      postgres: { ...lab.overrides.postgres, storageGiB: 1, cpu: 0.05 },
    },
    importSecrets:
      self === "dc1" ? undefined : Object.fromEntries(IMPORTABLE_SECRETS.map((name) => [name, SECRET_PLACEHOLDER])),
    dataCentre: {
      self,
      foundedBy: "dc1",
      ...situation,
      // A token is that of the one who is promoted.
      ...(situation.primary === self ? {} : { promotionToken: undefined, confirmLost: undefined }),
      peers: CENTRES.map((name) => ({
        name,
        generation: generations[name] ?? 1,
        archive: s3(`archive-${name}`),
        stream: { host: STREAM[name], from: ["10.77.0.0/24", "10.244.0.0/16"] },
      })),
    },
  };
}

const targetOf = ({ dataCentre }: Settings, name: string): BackupTarget => {
  const { endpoint, region, bucket } = centreOf(dataCentre!, name).archive;
  return {
    endpoint,
    region,
    bucket,
    secretName: ARCHIVE_SECRET,
    accessKeyKey: "accessKey",
    secretKeyKey: "secretKey",
  };
};

/**
 * The plugin cannot be built here (lab/images/catalog.ts): the operator's own archiving stands in, with the same
 * folders. What each would be told is the same object.
 */
function inTree(spec: Config, settings: Settings): Config {
  const { plugins, externalClusters, ...rest } = spec;
  if (plugins?.length !== 1) throw new Error("the database of a data centre has one plugin, which archives");
  const forms = plan(settings);
  const archive = (name: string, own: boolean): Config => {
    const made = (own ? objectStoreSpec : archiveSpec)({
      settings,
      plan: forms,
      target: targetOf(settings, name),
    }) as Config;
    const { wal, data, s3Credentials, ...store } = made.configuration;
    const { region: _, ...credentials } = s3Credentials;
    return {
      ...store,
      endpointURL: ARCHIVE_HERE,
      s3Credentials: credentials,
      wal: { ...wal, compression: "gzip" },
      data: { ...data, compression: "gzip" },
    };
  };
  return {
    ...rest,
    env: [{ name: "AWS_DEFAULT_REGION", value: "us-east-1" }],
    backup: {
      target: "prefer-standby",
      barmanObjectStore: {
        ...archive(settings.dataCentre!.self, true),
        serverName: plugins[0].parameters.serverName,
      },
    },
    externalClusters: externalClusters.map(({ plugin, ...other }: Config) =>
      plugin
        ? { ...other, barmanObjectStore: { ...archive(other.name, false), serverName: plugin.parameters.serverName } }
        : other,
    ),
  };
}

/** The Cluster of a data centre. @throws Where the stack refuses the settings. */
export function clusterOf(lab: Config, self: Name, situation: Situation): Config {
  const { settings, errors } = resolveSettings(centreConfig(lab, self, situation), "local");
  if (!settings) throw new Error(errors.map((e) => `${e.path}: ${e.given}; ${e.allowed}`).join("\n"));
  const spec = cnpgClusterSpec({ settings, plan: plan(settings), backup: targetOf(settings, self) }) as Config;
  return {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: { name: SERVICES.postgresCluster, namespace: namespaceOf(self) },
    spec: inTree(spec, settings),
  };
}

const secret = (namespace: string, name: string, stringData: Record<string, string>, type = "Opaque"): Config => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  type,
  stringData,
});

/** What a data centre's database needs beside it. @param password Made for the run; all of them have the same. */
export function surroundings(self: Name, password: string): Config[] {
  const namespace = namespaceOf(self);
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    secret(namespace, SECRETS.database, { username: "synapse", password }, "kubernetes.io/basic-auth"),
    secret(namespace, STREAM_SECRET, { username: STREAM_ROLE, password }, "kubernetes.io/basic-auth"),
    secret(namespace, ARCHIVE_SECRET, { accessKey: "archive", secretKey: password }),
  ];
}

/** The place of all archives. @param image Of MinIO */
export function archivePlace(image: string, password: string): Config[] {
  const metadata = { name: "archive", namespace: ARCHIVE_NAMESPACE };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: ARCHIVE_NAMESPACE } },
    secret(ARCHIVE_NAMESPACE, ARCHIVE_SECRET, { user: "archive", password }),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, labels: { app: "archive" } },
      spec: {
        containers: [
          {
            name: "minio",
            image,
            imagePullPolicy: "Never",
            command: [
              "sh",
              "-c",
              `mkdir -p ${CENTRES.map((c) => `/data/archive-${c}`).join(" ")} && exec minio server --address :9000 /data`,
            ],
            env: [
              { name: "MINIO_ROOT_USER", valueFrom: { secretKeyRef: { name: ARCHIVE_SECRET, key: "user" } } },
              { name: "MINIO_ROOT_PASSWORD", valueFrom: { secretKeyRef: { name: ARCHIVE_SECRET, key: "password" } } },
            ],
            readinessProbe: { httpGet: { path: "/minio/health/live", port: 9000 }, periodSeconds: 2 },
            volumeMounts: [{ name: "data", mountPath: "/data" }],
          },
        ],
        volumes: [{ name: "data", emptyDir: {} }],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: { app: "archive" }, ports: [{ port: 9000 }] },
    },
  ];
}

/** The stack's policies let its operator reach the stack's own database only. */
export const operatorReachesThem: Config = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "dr-operator", namespace: "cnpg-system" },
  spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{}] },
};

/** A site whose network is cut: nothing in, nothing out. */
export const cut = (centre: Name): Config => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "dr-cut", namespace: namespaceOf(centre) },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
});
