import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PRIORITIES } from "../../core/priorities";
import type { StackContext } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, NODE_LABELS, PORTS, SECRETS, SERVICES } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import { Workload, configHash, labels, tcpProbes, type ObjectMetadata } from "../../core/workload";
import { turnStart } from "./turnStart";
import { TURN_PATHS, turnserverConf, withSecret } from "./turnserverConf";
import { IMAGES } from "./images";
import { TURN_SHARED_SECRET } from "../../domain/calls";

export interface TurnArgs {
  /** Settings, plan and provider; the plan must have `turn`. */
  ctx: StackContext;
  /** Generated secrets; needs TURN_SHARED_SECRET. */
  secrets: StackSecrets;
  /** Name of a kubernetes.io/tls Secret in namespace coturn for `hostnames.turn`. @default no TURN over TLS */
  tlsSecretName?: string;
}

/** The image's own user (nobody). */
const UID = 65534;
const START = "coturn-start";

/**
 * coturn on every call node, on the host's network. Throws where the plan has no TURN.
 *
 * @example new Turn("turn", { ctx, secrets, tlsSecretName: "turn-tls" }, { parent: stack })
 */
export class Turn extends pulumi.ComponentResource {
  /** coturn's DaemonSet. */
  readonly workload: Workload;
  /** What later components must wait for: everything here. */
  readonly ready: pulumi.Resource[] = [this];

  constructor(name: string, args: TurnArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:turn:Turn", name, {}, opts);
    const { settings, plan } = args.ctx;
    if (!plan.turn)
      throw new Error("turn.enabled: the plan has no TURN. Leave the component out where turn.enabled is false.");
    const tls = args.tlsSecretName !== undefined;
    const version = imageVersion(settings, IMAGES.coturn);
    const metadata = (n: string): ObjectMetadata => ({
      name: n,
      namespace: NAMESPACES.coturn,
      labels: labels(settings, SERVICES.coturn, "coturn", version),
    });

    const plain = turnserverConf({ settings, plan, tls });
    const conf = pulumi.secret(args.secrets.of(TURN_SHARED_SECRET).apply((s) => withSecret(plain, s)));
    const start = turnStart(settings, tls);
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      { metadata: metadata(SECRETS.turn), type: "Opaque", stringData: { "turnserver.conf": conf } },
      { parent: this },
    );
    const script = new k8s.core.v1.ConfigMap(
      `${name}-start`,
      { metadata: metadata(START), data: { "start.sh": start } },
      { parent: this },
    );

    this.workload = new Workload(
      `${name}-coturn`,
      {
        ctx: args.ctx,
        namespace: NAMESPACES.coturn,
        component: SERVICES.coturn,
        appName: "coturn",
        version,
        kind: "DaemonSet",
        after: [secret, script],
        configHash: configHash({ "turnserver.conf": conf, "start.sh": start }),
        // One node after the other; each takes up to its termination grace period and its start.
        timeoutSeconds: 600 + plan.turn.nodes * 120,
        pod: {
          hostNetwork: true,
          uid: UID,
          role: "call",
          runtimePriority: PRIORITIES.calls.name,
          nodeSelector: { [NODE_LABELS.turn]: "true" },
          terminationGracePeriodSeconds: 60,
          volumes: [
            { name: "configuration", secret: SECRETS.turn },
            { name: "start", configMap: START },
            { name: "run", emptyDir: { sizeMiB: 16, memory: true } },
            ...(args.tlsSecretName === undefined ? [] : [{ name: "tls", secret: args.tlsSecretName }]),
          ],
          containers: [
            {
              name: "coturn",
              image: imageRef(settings, IMAGES.coturn),
              command: ["/bin/sh", TURN_PATHS.start],
              env: { HOST_IP: { field: "status.hostIP" } },
              // The image's binary has this file capability, and the kernel refuses to execute it if the bounding set
              // lacks it (EPERM, measured). No port needs it: all are above 1024.
              capabilities: ["NET_BIND_SERVICE"],
              ports: {
                turn: { port: PORTS.turn },
                "turn-udp": { port: PORTS.turn, protocol: "UDP" },
                ...(tls ? { "turn-tls": { port: settings.turn.tlsPort } } : {}),
              },
              probes: tcpProbes("turn"),
              resources: { cpu: plan.turn.cpu, memoryMiB: plan.turn.memoryMiB },
              mounts: [
                { volume: "configuration", path: "/etc/matrix-ha/turn", readOnly: true },
                { volume: "start", path: "/etc/matrix-ha/start", readOnly: true },
                { volume: "run", path: TURN_PATHS.run },
                ...(tls ? [{ volume: "tls", path: TURN_PATHS.tls, readOnly: true }] : []),
              ],
            },
          ],
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
