import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { AppserviceConnection, StackOutputs } from "../../components/outputs";

/** The version of the contract for which this program was written. */
const KNOWN_CONTRACT = 1;
const UID = 10987;

export interface BridgeArgs {
  /** The homeserver's stack, as organization/matrix-ha/stack. */
  stack: string;
  /** Its id in that stack's `appservices`. */
  id: string;
  image: string;
  /** User id that administers it. @default the first who writes to it */
  owner?: string;
  provider: k8s.Provider;
}

/** What the homeserver's stack says about the appservice. @throws Error in the output where it does not fit */
function connection(
  stack: string,
  id: string,
): pulumi.Output<Required<Pick<AppserviceConnection, "pods" | "registration">> & AppserviceConnection> {
  const reference = new pulumi.StackReference(stack);
  const get = <K extends keyof StackOutputs>(key: K): pulumi.Output<StackOutputs[K]> =>
    reference.getOutput(key) as pulumi.Output<StackOutputs[K]>;
  return pulumi.all([get("contract"), get("appservices")]).apply(([contract, appservices]) => {
    if (contract !== KNOWN_CONTRACT)
      throw new Error(`${stack} has version ${contract} of the contract, this program knows ${KNOWN_CONTRACT}`);
    const found = appservices?.[id];
    if (!found?.pods || !found.registration)
      throw new Error(
        `${stack} has no appservice "${id}" with pods: add it to matrix-ha:appservices there, as in README.md, and run pulumi up there first`,
      );
    return { ...found, pods: found.pods, registration: found.registration };
  });
}

/** The bridge. IRC networks are reached on any port of the Internet, the homeserver at its router. */
export function bridge(args: BridgeArgs): { namespace: pulumi.Output<string>; service: pulumi.Output<string> } {
  const server = connection(args.stack, args.id);
  // Only the registration is a secret; what objects are named by is not.
  const plain = pulumi.unsecret(server.apply(({ pods, homeserver }) => ({ pods, homeserver })));
  const labels = plain.pods.labels,
    name = plain.pods.service,
    port = plain.pods.port;
  const opts: pulumi.CustomResourceOptions = { provider: args.provider };

  const namespace = new k8s.core.v1.Namespace(
    "namespace",
    { metadata: { name: plain.pods.namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
    opts,
  );
  const metadata = (): k8s.types.input.meta.v1.ObjectMeta => ({ name, namespace: namespace.metadata.name, labels });
  const secret = new k8s.core.v1.Secret(
    "registration",
    { metadata: metadata(), type: "Opaque", stringData: { "registration.yaml": server.registration } },
    opts,
  );
  // A digest of two random tokens tells nothing of them.
  const digest = pulumi.unsecret(
    server.registration.apply((text) => createHash("sha256").update(text).digest("hex").slice(0, 16)),
  );
  const policy = new k8s.networking.v1.NetworkPolicy(
    "policy",
    { metadata: metadata(), spec: policySpec(labels, port) },
    opts,
  );
  new k8s.apps.v1.Deployment(
    "bridge",
    {
      metadata: metadata(),
      spec: {
        // One: two of them would be the same users on IRC twice.
        replicas: 1,
        strategy: { type: "Recreate" },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: { "matrix-ha.dev/registration": digest } },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: UID,
              runAsGroup: UID,
              fsGroup: UID,
              seccompProfile: { type: "RuntimeDefault" },
            },
            terminationGracePeriodSeconds: 20,
            // It keeps everything in its users' account data on the homeserver: no volume, and it may start anywhere.
            tolerations: ["not-ready", "unreachable"].map((what) => ({
              key: `node.kubernetes.io/${what}`,
              operator: "Exists",
              effect: "NoExecute",
              tolerationSeconds: 30,
            })),
            containers: [
              {
                name: "heisenbridge",
                image: args.image,
                args: [
                  "-c",
                  "/registration/registration.yaml",
                  "-l",
                  "0.0.0.0",
                  "-p",
                  port.apply(String),
                  ...(args.owner === undefined ? [] : ["-o", args.owner]),
                  plain.homeserver,
                ],
                env: [{ name: "PYTHONDONTWRITEBYTECODE", value: "1" }],
                ports: [{ name: "appservice", containerPort: port }],
                // It opens its port when the homeserver has let it in. It has no page that says how it is.
                startupProbe: { tcpSocket: { port: "appservice" }, periodSeconds: 5, failureThreshold: 60 },
                readinessProbe: { tcpSocket: { port: "appservice" }, periodSeconds: 10 },
                livenessProbe: { tcpSocket: { port: "appservice" }, periodSeconds: 20, failureThreshold: 6 },
                resources: {
                  requests: { cpu: "50m", memory: "96Mi", "ephemeral-storage": "16Mi" },
                  limits: { memory: "256Mi", "ephemeral-storage": "64Mi" },
                },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                volumeMounts: [{ name: "registration", mountPath: "/registration", readOnly: true }],
              },
            ],
            volumes: [{ name: "registration", secret: { secretName: secret.metadata.name, defaultMode: 0o440 } }],
          },
        },
      },
    },
    { ...opts, dependsOn: [policy] },
  );
  new k8s.core.v1.Service(
    "service",
    {
      metadata: metadata(),
      spec: { selector: labels, ports: [{ name: "appservice", port, targetPort: "appservice" }] },
    },
    opts,
  );
  return { namespace: namespace.metadata.name, service: plain.pods.service };
}

/** From Synapse on its port; to DNS, the router, and IRC servers outside of private networks. */
const policySpec = (
  matchLabels: pulumi.Input<Record<string, string>>,
  port: pulumi.Input<number>,
): k8s.types.input.networking.v1.NetworkPolicySpec => {
  const matrix = { matchLabels: { "kubernetes.io/metadata.name": "matrix" } };
  return {
    podSelector: { matchLabels },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      {
        from: [{ namespaceSelector: matrix, podSelector: { matchLabels: { "app.kubernetes.io/name": "synapse" } } }],
        ports: [{ port }],
      },
    ],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
            podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
        ports: [
          { port: 53, protocol: "UDP" },
          { port: 53, protocol: "TCP" },
        ],
      },
      {
        to: [{ namespaceSelector: matrix, podSelector: { matchLabels: { "app.kubernetes.io/component": "haproxy" } } }],
        ports: [{ port: 8008 }],
      },
      {
        to: [
          {
            ipBlock: {
              cidr: "0.0.0.0/0",
              except: ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
            },
          },
        ],
      },
    ],
  };
};
