import { z } from "zod";
import { IMAGES } from "../../core/images";
import { isDnsName, isS3Endpoint, isUrl, LABEL_VALUE, parseImage } from "../syntax/text";
import { addressRange, bool, cidr, dnsLabel, field, list, oneOf, secret, section, text, texts, int } from "./fields";

const install = (what: string, extra = "") =>
  bool({ doc: `Install ${what}. False: the cluster has it already.${extra}` });

const objectName = (doc: string) =>
  text({ doc, allowed: "a Kubernetes object name: lower-case letters, digits, '-' and '.'" }, (v) => isDnsName(v));

const storageClass = (what: string) =>
  section(
    {
      name: objectName("Name of the StorageClass.").optional(),
      create: bool({ doc: "True: this stack makes the class. False: it exists, and `name` is needed." }).default(true),
      provisioner: text({
        doc: "Provisioner of a made class. The default serves the nodes' own disks, bound when a pod is scheduled.",
      }).default("rancher.io/local-path"),
      parameters: texts({ doc: "Parameters of a made class." }).default({}),
    },
    { doc: `StorageClass of ${what}.` },
  );

/** The fields of an S3 target, for media and for backups. */
export const s3Fields = {
  endpoint: text(
    {
      doc: "URL of the S3 API.",
      allowed: "an https:// URL, or http:// to a private address",
      remedy: "give the URL of the S3 API without bucket: https://s3.eu-central-1.amazonaws.com",
    },
    isS3Endpoint,
    "https://s3.example.com",
  ),
  region: text({ doc: "Region, as the provider names it." }).default("us-east-1"),
  bucket: text(
    { doc: "Bucket; must exist.", allowed: "a bucket name: 3 to 63 lower-case letters, digits, '-' and '.'" },
    (v) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(v),
  ),
  accessKey: secret({ doc: "Access key id." }),
  secretKey: secret({ doc: "Secret access key." }),
};

export const clusterSections = {
  cluster: section(
    {
      kubeconfig: secret(
        {
          doc: "kubeconfig, the file's contents. Absent: KUBECONFIG or ~/.kube/config of the person who runs Pulumi.",
          allowed: "the contents of a kubeconfig file (not its path)",
          remedy: "pulumi config set --secret --path 'matrix-ha:cluster.kubeconfig' < ~/.kube/config",
        },
        (v) => /clusters["']?\s*:/.test(v),
      ).optional(),
      context: text({ doc: "Context in the kubeconfig. Absent: its current one." }).optional(),
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
        doc: "Families of the Services, the preferred one first.",
        defaultText: "the families of serviceCidrs",
      }).optional(),
      install: section(
        {
          cloudNativePg: install("the CloudNativePG operator").default(true),
          barmanPlugin: install("CloudNativePG's barman-cloud plugin (backups)").default(true),
          metallb: install("MetalLB").default(true),
          certManager: install("cert-manager").default(true),
          ingressController: install("the NGINX ingress controller (F5's, the maintained one)").default(true),
          metricsServer: install("metrics-server (autoscaling needs it)").default(true),
          localPathProvisioner: install("the provisioner of local volumes").default(true),
          prometheusOperator: field(z.boolean(), {
            doc: "Install the Prometheus operator.",
            allowed: "true or false",
            example: true,
            defaultText: "true where monitoring is enabled and monitoring.prometheus is install",
          }).optional(),
        },
        { doc: "What this stack installs into the cluster, at pinned versions." },
      ).prefault({}),
      ingressClass: objectName("IngressClass that the Ingress objects name.").default("nginx"),
      ingressNamespace: objectName(
        "Namespace of the ingress controller's pods, which the public backends let in. Matters where the controller is not this stack's.",
      ).default("nginx-ingress"),
    },
    { doc: "The Kubernetes cluster, which exists." },
  ).prefault({}),

  addressPools: field(
    z
      .array(
        section(
          {
            name: dnsLabel({ doc: "Name of the pool." }),
            addresses: field(z.array(addressRange({ doc: "Network or range." })).min(1), {
              doc: "Networks or ranges, free addresses of the hosts' network.",
              allowed: "a list of at least one network or range",
              remedy: "list them: addresses: [203.0.113.10-203.0.113.20]",
            }),
            use: list(oneOf(["ingress", "any"], { doc: "Use." }), {
              doc: "Which public services take their address here.",
            }).default(["any"]),
          },
          { doc: "A pool." },
        ),
      )
      .min(1),
    {
      doc: "Addresses that MetalLB gives to public services. At least one pool. One address is announced by one node at a time: several addresses spread load.",
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
    { doc: "Where volumes come from." },
  ).prefault({}),

  tls: field(
    z.discriminatedUnion("mode", [
      section(
        {
          mode: z.literal("acme"),
          email: text(
            {
              doc: "Address that the authority warns before a certificate expires.",
              allowed: "an e-mail address",
              remedy: "give an address that someone reads",
            },
            (v) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v),
            "admin@example.com",
          ),
          server: text({ doc: "Directory of the ACME authority.", allowed: "an https:// URL" }, (v) =>
            isUrl(v, ["https:"]),
          ).default("https://acme-v02.api.letsencrypt.org/directory"),
          solver: oneOf(["http01"], { doc: "How the authority is answered: over HTTP through the ingress." }).default(
            "http01",
          ),
        },
        { doc: "Certificates from an ACME authority (Let's Encrypt), got and renewed by cert-manager." },
      ),
      section(
        { mode: z.literal("own-ca") },
        {
          doc: "A certificate authority that this stack makes; clients must be told to trust it. The stack outputs its certificate.",
        },
      ),
      section(
        {
          mode: z.literal("given"),
          certificate: text({
            doc: "PEM: the certificate, then its chain, for all host names.",
            allowed: "PEM certificates, the server's own first",
            remedy: "give the contents of fullchain.pem",
          }),
          privateKey: secret({ doc: "PEM: its private key." }),
        },
        { doc: "A certificate that you have and renew yourself." },
      ),
    ]),
    {
      doc: "Where certificates come from. `tls: own-ca` is short for `tls: {mode: own-ca}`.",
      allowed: "mode acme (with email), own-ca, or given (with certificate and privateKey)",
      remedy: "tls: {mode: acme, email: admin@example.com}",
      example: { mode: "own-ca" },
    },
  ),

  networkPolicies: section(
    {
      enabled: bool({ doc: "Allow what the parts need of each other and nothing else." }).default(true),
      apiServerCidrs: list(cidr({ doc: "Network." }), {
        doc: "Where the Kubernetes API listens, for the pods that use it.",
        defaultText: "the control-plane hosts' addresses; without such hosts anywhere, on the API's port",
      }).optional(),
    },
    { doc: "Network policies." },
  ).prefault({}),

  images: section(
    {
      mirror: text(
        {
          doc: "Registry, and path in it, that holds a copy of every image. `npm run render` writes images.txt, the list to copy.",
          allowed: "registry[:port][/path], without https://",
        },
        (v) => /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*\/?$/.test(v),
        "registry.example.com",
      ).optional(),
      pullSecret: objectName(
        "Secret of type kubernetes.io/dockerconfigjson, in every namespace of the stack.",
      ).optional(),
      overrides: section(
        Object.fromEntries(
          Object.keys(IMAGES).map((key) => [
            key,
            text(
              {
                doc: `Reference in place of the image of ${key}.`,
                allowed: "repository:tag, perhaps with @sha256:..., the tag not `latest`",
                remedy: "name an exact version: a moving tag changes what runs without any change here",
              },
              (v) => {
                const ref = parseImage(v);
                return ref?.tag !== undefined && ref.tag !== "latest";
              },
              "example:1",
            ).optional(),
          ]),
        ),
        { doc: "Images in place of the table's, by its keys." },
      ).prefault({}),
    },
    { doc: "Where images come from." },
  ).prefault({}),
};

export const monitoringSections = {
  monitoring: section(
    {
      enabled: bool({ doc: "Monitors, alert rules and dashboards." }).default(true),
      prometheus: oneOf(["install", "existing"], {
        doc: "`install`: operator, Prometheus and Alertmanager here. `existing`: only monitors and rules, for an operator that runs already.",
      }).default("install"),
      retentionDays: int(1, 3650, { doc: "Metrics are kept so many days." }).default(15),
      selectorLabels: field(
        z.record(
          z.string().regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/),
          z.string().refine((v) => v === "" || LABEL_VALUE.test(v)),
        ),
        {
          doc: "Labels by which an existing Prometheus selects monitors and rules.",
          allowed: "Kubernetes labels",
          example: {},
        },
      ).default({}),
      alertWebhook: text(
        {
          doc: "Where Alertmanager posts alerts (its webhook format). It sends a bearer token, which the stack makes: Secret `alertmanager-token` in the namespace monitoring. Absent: alerts are only kept and shown.",
          allowed: "an https:// URL, or http:// to a private address",
          remedy: "give the receiver's whole URL",
        },
        isS3Endpoint,
        "https://alerts.example.com/hook",
      ).optional(),
      grafanaDashboards: bool({ doc: "Make dashboards, as ConfigMaps that Grafana's sidecar reads." }).default(true),
      grafana: bool({
        doc: "Run Grafana with these dashboards, where Prometheus is installed. `false`: they are only ConfigMaps, for a Grafana that runs elsewhere.",
      }).default(true),
      // At least two scrapes within the shortest window of a rule (2 min) and within the shortest wait of a critical
      // alert that asks for two.
      scrapeIntervalSeconds: int(10, 60, {
        doc: "Seconds between two scrapes of each target. Alerts on a lost master or primary come later by as much; halving it doubles storage and the processor time of all scrapes.",
      }).default(15),
    },
    { doc: "Monitoring." },
  ).prefault({}),
};
