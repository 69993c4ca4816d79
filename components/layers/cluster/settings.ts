/** Settings of the cluster: what this stack installs there, addresses, volumes, certificates, policies. Pure. */
import { z } from "zod";
import {
  addressRange,
  bool,
  cidr,
  dnsLabel,
  field,
  httpsUrl,
  list,
  objectName,
  oneOf,
  privateAuthority,
  secret,
  section,
  text,
  texts,
} from "../../schema/fields";
import { familyOf, hostCidr } from "../../core/addresses";
import { certificateChain, isPlaceholder } from "../../schema/syntax/keys";
import { isDnsName } from "../../schema/syntax/text";
import type { SettingsInput } from "../../settings/schema";

const install = (what: string, extra = "") =>
  bool({ doc: `Install ${what}. False: the cluster already has it.${extra}` });

const storageClass = (what: string) =>
  section(
    {
      name: objectName("Name of the StorageClass.").optional(),
      create: bool({
        doc: "True: this stack creates the class. False: it exists already, and `name` is required.",
      }).default(true),
      provisioner: text({
        doc: "Provisioner of a class that this stack creates. The default makes volumes on the nodes' own disks when a pod is scheduled.",
      }).default("rancher.io/local-path"),
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
          remedy: "read `clusterDomain` in /var/lib/kubelet/config.yaml of a node",
        },
        (v) => isDnsName(v),
      ).default("cluster.local"),
      podCidrs: list(cidr({ doc: "Network of the pods." }), { doc: "Networks of the pods, one per family." }).default([
        "10.244.0.0/16",
      ]),
      serviceCidrs: list(cidr({ doc: "Network of the Services." }), {
        doc: "Networks of the Services, one per family. The default is kubeadm's.",
      }).default(["10.96.0.0/12"]),
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
          metricsServer: install("metrics-server, which autoscaling needs").default(true),
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
          },
          { doc: "A pool." },
        ),
      )
      .min(1),
    {
      doc: "Addresses that MetalLB gives to public services; at least one pool. Each address is announced by one node at a time, so several addresses spread the load.",
      allowed: "a list of at least one pool",
      remedy: "addressPools: [{name: public, addresses: [203.0.113.10-203.0.113.20]}]",
      example: [{ name: "example", addresses: ["192.0.2.0/28"] }],
    },
  ),
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
        },
        { doc: "Certificates from an ACME authority (Let's Encrypt); cert-manager orders and renews them." },
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
      allowed: "mode acme (with email), own-ca, or given (with certificate and privateKey)",
      remedy: "tls: {mode: acme, email: admin@example.com}",
      example: { mode: "own-ca" },
    },
  ),
  trustedAuthorities: text(
    {
      doc: "Certificates of private authorities, PEM, one after the other. Synapse (OpenID Connect, SMTP, S3, federation), Alertmanager and the token service of calls trust them beside the public ones. Backups and cert-manager cannot trust both at once: see `privateAuthority` of `backups.target` and `tls`.",
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
  /** Of a class that this stack creates: `rancher.io/local-path`. */
  provisioner: string;
  parameters: Record<string, string>;
}

/** The sections of this layer with all defaults. */
export interface ClusterCompleted {
  cluster: Omit<SettingsInput["cluster"], "ipFamilies" | "install"> & {
    ipFamilies: Array<"IPv4" | "IPv6">;
    install: { [K in keyof SettingsInput["cluster"]["install"]]-?: boolean };
  };
  storage: Record<"database" | "objectStore" | "general", StorageClassSettings>;
  networkPolicies: { enabled: boolean; apiServerCidrs: string[] };
}

/** Fills in the defaults that depend on other settings. */
export const completeCluster = (input: SettingsInput): ClusterCompleted => ({
  cluster: withInstalled(input),
  storage: {
    database: completeClass(input.storage.database, "matrix-ha-database"),
    objectStore: completeClass(input.storage.objectStore, "matrix-ha-object-store"),
    general: completeClass(input.storage.general, "matrix-ha-general"),
  },
  networkPolicies: {
    enabled: input.networkPolicies.enabled,
    apiServerCidrs: input.networkPolicies.apiServerCidrs ?? apiServerCidrs(input.hosts),
  },
});

const withInstalled = ({ cluster, monitoring }: SettingsInput): ClusterCompleted["cluster"] => ({
  ...cluster,
  ipFamilies: cluster.ipFamilies ?? [...new Set(cluster.serviceCidrs.map(familyOf))],
  install: {
    ...cluster.install,
    prometheusOperator:
      cluster.install.prometheusOperator ?? (monitoring.enabled && monitoring.prometheus === "install"),
  },
});

const completeClass = (
  given: Omit<StorageClassSettings, "name"> & { name?: string },
  name: string,
): StorageClassSettings => ({ ...given, name: given.name ?? name });

function apiServerCidrs(hosts: SettingsInput["hosts"]): string[] {
  const masters = hosts
    .filter((host) => host.role === "control-plane" || host.roles?.includes("control-plane"))
    .map((host) => hostCidr(host.address));
  return masters.length > 0 ? masters : ["0.0.0.0/0", "::/0"];
}
