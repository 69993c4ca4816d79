/** Settings of the cluster: what this stack installs there, addresses, volumes, certificates, policies. Pure. */
import { z } from "zod";
import {
  address,
  addressRange,
  bool,
  cidr,
  dnsLabel,
  field,
  httpsUrl,
  list,
  objectName,
  oneOf,
  open,
  privateAuthority,
  secret,
  section,
  text,
  texts,
} from "../../schema/fields";
import { familyOf, hostCidr } from "../../core/addresses";
import {
  DISTRIBUTIONS,
  DISTRIBUTION_FACTS,
  KUBELET_CERTIFICATES,
  LOCAL_PATH,
  type DistributionFacts,
  type KubeletCertificates,
} from "../../domain/distributions";
import { certificateChain, isPlaceholder } from "../../schema/syntax/keys";
import { isDnsName } from "../../schema/syntax/text";
import type { SettingsInput } from "../../settings/schema";
import { reachSettings } from "./reach/settings";

const install = (what: string, extra = "") =>
  bool({ doc: `Install ${what}. False: the cluster already has it.${extra}` });

/** How address pools are written. */
export const POOLS_REMEDY = "addressPools: [{name: public, addresses: [203.0.113.10-203.0.113.20]}]";

/** A default that depends on the distribution, in words: `10.42.0.0/16 (k3s, rke2), ...`. */
function byDistribution(of: (facts: DistributionFacts) => string): string {
  const groups = new Map<string, string[]>();
  for (const name of DISTRIBUTIONS) {
    const value = of(DISTRIBUTION_FACTS[name]);
    groups.set(value, [...(groups.get(value) ?? []), name]);
  }
  return [...groups].map(([value, names]) => `${value} (${names.join(", ")})`).join("; ");
}

const storageClass = (what: string) =>
  section(
    {
      name: objectName("Name of the StorageClass.").optional(),
      create: bool({
        doc: "True: this stack creates the class. False: it exists already, and `name` is required.",
      }).default(true),
      provisioner: text({
        doc: "Provisioner of a class that this stack creates. The default makes volumes on the nodes' own disks when a pod is scheduled.",
        defaultText:
          "that of the provisioner that this stack installs: rancher.io/local-path, and matrix-ha.dev/local-path beside k3s' own",
      }).optional(),
      parameters: texts({ doc: "Parameters of a class that this stack creates." }).default({}),
    },
    { doc: `StorageClass of ${what}.` },
  );

export const clusterSettings = {
  cluster: section(
    {
      kubeconfig: secret(
        {
          doc: "Contents of a kubeconfig file. Absent: KUBECONFIG or ~/.kube/config of the person who runs Pulumi.",
          allowed: "the contents of a kubeconfig file (not its path)",
          remedy: "pulumi config set --secret --path 'matrix-ha:cluster.kubeconfig' < ~/.kube/config",
        },
        (v) => /clusters["']?\s*:/.test(v),
      ).optional(),
      context: text({ doc: "Context in the kubeconfig. Absent: its current context." }).optional(),
      domain: text(
        {
          doc: "DNS domain of the cluster.",
          allowed: "a DNS name",
          remedy: "read `clusterDomain` in the output of `kubectl get --raw /api/v1/nodes/NODE/proxy/configz`",
        },
        (v) => isDnsName(v),
      ).default("cluster.local"),
      distribution: oneOf(DISTRIBUTIONS, {
        doc: "How Kubernetes was installed. It decides the defaults of podCidrs, serviceCidrs, nodeLocalDns, kubeletCertificates, install.metricsServer and storage.*.provisioner, and how the hosts' kubelets and etcd are looked after. `other`: nothing is assumed of the installation.",
      }).default("kubeadm"),
      podCidrs: list(cidr({ doc: "Network of the pods." }), {
        doc: "Networks of the pods, one per family.",
        defaultText: byDistribution((f) => f.podCidrs.join(", ")),
      }).optional(),
      serviceCidrs: list(cidr({ doc: "Network of the Services." }), {
        doc: "Networks of the Services, one per family.",
        defaultText: byDistribution((f) => f.serviceCidrs.join(", ")),
      }).optional(),
      nodeLocalDns: list(address({ doc: "Address." }), {
        doc: "Addresses at which pods ask NodeLocal DNSCache; network policies admit them. Harmless where it is not installed. `[]`: it is not.",
        defaultText: byDistribution((f) => f.nodeLocalDns.join(", ")),
      }).optional(),
      kubeletCertificates: oneOf(KUBELET_CERTIFICATES, {
        doc: "Who signed the certificates of the kubelets. `cluster-ca`: metrics-server checks them. `self-signed`: it cannot, and accepts any (--kubelet-insecure-tls). Used only if this stack installs metrics-server.",
        defaultText: byDistribution((f) => f.kubeletCertificates),
      }).optional(),
      ipFamilies: list(oneOf(["IPv4", "IPv6"], { doc: "Family." }), {
        doc: "IP families of the Services, the preferred one first.",
        defaultText: "the families of serviceCidrs",
      }).optional(),
      install: section(
        {
          cloudNativePg: install("the CloudNativePG operator").default(true),
          barmanPlugin: install("CloudNativePG's barman-cloud plugin (backups)").default(true),
          metallb: install("MetalLB").default(true),
          certManager: install("cert-manager").default(true),
          ingressController: install("the NGINX ingress controller (F5's, the maintained one)").default(true),
          metricsServer: field(z.boolean(), {
            doc: "Install metrics-server, which autoscaling needs. False: the cluster already has it.",
            allowed: "true or false",
            example: true,
            defaultText:
              "true, except on k3s and rke2, which bring it; there true only after `--disable metrics-server` (`rke2-metrics-server`)",
          }).optional(),
          localPathProvisioner: install("the provisioner of local volumes").default(true),
          prometheusOperator: field(z.boolean(), {
            doc: "Install the Prometheus operator.",
            allowed: "true or false",
            example: true,
            defaultText: "true if monitoring is enabled and monitoring.prometheus is `install`",
          }).optional(),
        },
        { doc: "What this stack installs into the cluster, at pinned versions." },
      ).prefault({}),
      ingressClass: objectName("IngressClass of the Ingress objects.").default("nginx"),
      ingressNamespace: objectName(
        "Namespace of the ingress controller's pods; network policies allow them to reach the public Services. Used only if this stack does not install the controller.",
      ).default("nginx-ingress"),
    },
    { doc: "The existing Kubernetes cluster." },
  ).prefault({}),
  addressPools: field(
    z
      .array(
        section(
          {
            name: dnsLabel({ doc: "Name of the pool." }),
            addresses: field(z.array(addressRange({ doc: "Network or range." })).min(1), {
              doc: "Networks or ranges of unused addresses in the hosts' network.",
              allowed: "a list of at least one network or range",
              remedy: "list them: addresses: [203.0.113.10-203.0.113.20]",
            }),
            use: list(oneOf(["ingress", "any"], { doc: "Use." }), {
              doc: "Which public services get their address from this pool.",
            }).default(["any"]),
            create: field(z.boolean(), {
              doc: "True: this stack creates the pool and its L2Advertisement. False: a pool of this name exists; the ingress' Service asks for an address from it.",
              allowed: "true or false",
              example: true,
              defaultText: "cluster.install.metallb",
            }).optional(),
          },
          { doc: "A pool." },
        ),
      )
      .min(1),
    {
      doc: "Addresses that MetalLB gives to public services; at least one pool. Each address is announced by one node at a time, so several addresses spread the load. Without MetalLB of this stack (cluster.install.metallb: false) none is needed: the Services take what the cluster gives.",
      allowed: "a list of at least one pool",
      remedy: POOLS_REMEDY,
      example: [{ name: "example", addresses: ["192.0.2.0/28"] }],
      defaultText: "**required** while cluster.install.metallb is true, else none",
    },
  ).optional(),
  storage: section(
    {
      database: storageClass("PostgreSQL, on `database` disks").prefault({}),
      objectStore: storageClass("MinIO's drives, on `object-store` disks").prefault({}),
      general: storageClass("everything else (Redis, Prometheus)").prefault({}),
    },
    { doc: "StorageClasses of the volumes." },
  ).prefault({}),
  tls: field(
    z.discriminatedUnion("mode", [
      section(
        {
          mode: z.literal("acme"),
          email: text(
            {
              doc: "E-mail address that the authority warns before a certificate expires.",
              allowed: "an e-mail address",
              remedy: "give an address that someone reads",
            },
            (v) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v),
            "admin@example.com",
          ),
          server: httpsUrl({
            doc: "Directory URL of the ACME authority. Its challenge is answered over HTTP, through the ingress.",
          }).default("https://acme-v02.api.letsencrypt.org/directory"),
          privateAuthority: privateAuthority("the ACME server"),
          dns01: section(
            {
              solver: open(
                "What cert-manager's `dns01` holds: the DNS provider and its options. A reference to a Secret names `matrix-ha-acme-dns01`, and in it a key of `credentials`.",
                "a section with one provider of cert-manager's dns01, as its documentation writes it",
                {
                  cloudflare: { apiTokenSecretRef: { name: "matrix-ha-acme-dns01", key: "api-token" } },
                },
              ),
              credentials: field(
                z.record(
                  text({ doc: "Key.", allowed: "letters, digits, '-', '_' and '.'" }, (v) =>
                    /^[A-Za-z0-9._-]{1,253}$/.test(v),
                  ),
                  secret({ doc: "A credential of the DNS provider." }),
                ),
                {
                  doc: "Credentials for the DNS provider by the key that `solver` refers to. They are in the Secret `matrix-ha-acme-dns01` of the namespace cert-manager.",
                  allowed: "keys, each with a secret",
                  example: { "api-token": "[encrypted by pulumi]" },
                },
              ).default({}),
            },
            {
              doc: "The authority's challenge is answered in DNS: for names that the Internet cannot reach by HTTP, and for `hostnames.turn`. Absent: over HTTP, through the ingress.",
            },
          ).optional(),
        },
        { doc: "Certificates from an ACME authority (Let's Encrypt); cert-manager orders and renews them." },
      ),
      section(
        {
          mode: z.literal("issuer"),
          clusterIssuer: objectName(
            "Name of the ClusterIssuer. cert-manager and the issuer exist: cluster.install.certManager is false.",
          ),
          certifiesTurn: bool({
            doc: "The issuer certifies `hostnames.turn` as well: it answers challenges in DNS, or asks for none. Then TURN is offered over TLS. An HTTP challenge would reach coturn, which cannot answer it.",
          }).default(false),
        },
        { doc: "Certificates from a ClusterIssuer that exists in the cluster." },
      ),
      section(
        { mode: z.literal("own-ca") },
        {
          doc: "A certificate authority that this stack creates. Clients must be configured to trust its certificate, which is an output of the stack.",
        },
      ),
      section(
        {
          mode: z.literal("given"),
          certificate: text({
            doc: "The certificate for all host names, then its chain; PEM.",
            allowed: "PEM certificates, the server's own first",
            remedy: "give the contents of fullchain.pem",
          }),
          privateKey: secret({ doc: "Its private key, PEM." }),
        },
        { doc: "A certificate that you provide and renew." },
      ),
    ]),
    {
      doc: "Source of the certificates. `tls: own-ca` is short for `tls: {mode: own-ca}`.",
      allowed:
        "mode acme (with email), issuer (with clusterIssuer), own-ca, or given (with certificate and privateKey)",
      remedy: "tls: {mode: acme, email: admin@example.com}",
      example: { mode: "own-ca" },
    },
  ),
  ...reachSettings,
  trustedAuthorities: text(
    {
      doc: "Certificates of private authorities, PEM, one after the other. Synapse (OpenID Connect, SMTP, S3, federation), Alertmanager, the token service of calls and the cert-manager that this stack installs trust them beside the public ones. Backups cannot trust both at once: see `privateAuthority` of `backups.target`. docs/deploy.md lists every program.",
      allowed: "one or more PEM certificates",
      remedy: "give the contents of the authority's ca.crt (not its path)",
      example: "[encrypted by pulumi]",
    },
    (v) => isPlaceholder(v) || certificateChain(v) !== undefined,
  ).optional(),
  networkPolicies: section(
    {
      enabled: bool({ doc: "Allow only the connections that the parts of the stack need." }).default(true),
      apiServerCidrs: list(cidr({ doc: "Network." }), {
        doc: "Networks of the Kubernetes API servers; pods that use the API may connect to these only.",
        defaultText: "the addresses of the control-plane hosts; without such hosts any address, on the API's port",
      }).optional(),
    },
    { doc: "Network policies." },
  ).prefault({}),
};

/** A StorageClass: one that this stack creates, or one that exists. */
export interface StorageClassSettings {
  /** Name that volumes refer to. */
  name: string;
  /** True: this stack creates it. False: it exists already. */
  create: boolean;
  /** Of a class that this stack creates. @example "rancher.io/local-path" */
  provisioner: string;
  parameters: Record<string, string>;
}

/** Addresses for public services. */
export interface AddressPoolSettings {
  name: string;
  /** Networks or ranges. */
  addresses: string[];
  use: Array<"ingress" | "any">;
  /** True: this stack makes it. False: it exists. */
  create: boolean;
}

/** The sections of this layer with all defaults. */
export interface ClusterCompleted {
  addressPools: AddressPoolSettings[];
  cluster: Omit<
    SettingsInput["cluster"],
    "ipFamilies" | "install" | "podCidrs" | "serviceCidrs" | "nodeLocalDns" | "kubeletCertificates"
  > & {
    podCidrs: string[];
    serviceCidrs: string[];
    ipFamilies: Array<"IPv4" | "IPv6">;
    nodeLocalDns: string[];
    kubeletCertificates: KubeletCertificates;
    install: { [K in keyof SettingsInput["cluster"]["install"]]-?: boolean };
  };
  storage: Record<"database" | "objectStore" | "general", StorageClassSettings>;
  networkPolicies: { enabled: boolean; apiServerCidrs: string[] };
}

/** Fills in the defaults that depend on other settings. */
export const completeCluster = (input: SettingsInput): ClusterCompleted => ({
  cluster: withInstalled(input),
  addressPools: (input.addressPools ?? []).map((p) => ({ ...p, create: p.create ?? input.cluster.install.metallb })),
  storage: {
    database: completeClass(input, "database", "matrix-ha-database"),
    objectStore: completeClass(input, "objectStore", "matrix-ha-object-store"),
    general: completeClass(input, "general", "matrix-ha-general"),
  },
  networkPolicies: {
    enabled: input.networkPolicies.enabled,
    apiServerCidrs: input.networkPolicies.apiServerCidrs ?? apiServerCidrs(input.hosts),
  },
});

function withInstalled({ cluster, monitoring }: SettingsInput): ClusterCompleted["cluster"] {
  // Copies: who changes complete settings must not change the table.
  const facts = structuredClone(DISTRIBUTION_FACTS[cluster.distribution]);
  const serviceCidrs = cluster.serviceCidrs ?? facts.serviceCidrs;
  return {
    ...cluster,
    podCidrs: cluster.podCidrs ?? facts.podCidrs,
    serviceCidrs,
    ipFamilies: cluster.ipFamilies ?? [...new Set(serviceCidrs.map(familyOf))],
    nodeLocalDns: cluster.nodeLocalDns ?? facts.nodeLocalDns,
    kubeletCertificates: cluster.kubeletCertificates ?? facts.kubeletCertificates,
    install: {
      ...cluster.install,
      metricsServer: cluster.install.metricsServer ?? !facts.metricsServer,
      prometheusOperator:
        cluster.install.prometheusOperator ?? (monitoring.enabled && monitoring.prometheus === "install"),
    },
  };
}

function completeClass(
  { storage, cluster }: SettingsInput,
  key: keyof SettingsInput["storage"],
  name: string,
): StorageClassSettings {
  const ours = cluster.install.localPathProvisioner
    ? DISTRIBUTION_FACTS[cluster.distribution].localProvisioner
    : LOCAL_PATH;
  const given = storage[key];
  return { ...given, name: given.name ?? name, provisioner: given.provisioner ?? ours };
}

function apiServerCidrs(hosts: SettingsInput["hosts"]): string[] {
  const masters = hosts
    .filter((host) => host.role === "control-plane" || host.roles?.includes("control-plane"))
    .map((host) => hostCidr(host.address));
  return masters.length > 0 ? masters : ["0.0.0.0/0", "::/0"];
}
