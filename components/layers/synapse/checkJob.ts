/** The Job that reads every class's configuration before any process gets it. */
import type { Input } from "@pulumi/pulumi";
import type { batch } from "@pulumi/kubernetes/types/input";
import type { StackContext } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { SECRETS } from "../../core/names";
import { podTemplate } from "../../core/workload/pod";
import { projectedExtras, type ExtraSecret } from "./extra/secrets";
import type { WorkerClass } from "../../domain/workerClasses";
import { instanceNames } from "./instances";
import { CLASS_FILE, MOUNTS, SHARED_FILES } from "./paths";
import {
  APPSERVICES_MOUNT,
  appservicesVolume,
  SYNAPSE_UID,
  TERMS_MOUNT,
  termsVolume,
  type RegistrationSource,
} from "./pod";
import { IMAGES } from "./images";

/** Where its own programs are. */
const CHECK_AT = "/conf/check";

/** What the Job is made from. */
export interface CheckJobInput {
  ctx: StackContext;
  /** Its component label, which is its service account's name too. */
  component: string;
  /** Name of the ConfigMap with the script. */
  script: string;
  /** Names of the ConfigMaps (shared, terms, by class), and of the Secret with secret options where there is one. */
  maps: { shared: string; terms?: string; classes: Partial<Record<WorkerClass, string>>; email?: Input<string> };
  /** The Secrets with further options. @default none */
  extras?: readonly ExtraSecret[];
  /** Where the registrations of appservices are. @default there are none */
  appservices?: RegistrationSource[];
}

/** Names of the processes by class; those of autoscaled classes appear in no configuration. */
function instances(ctx: StackContext): Record<string, string[]> {
  return Object.fromEntries(
    ctx.plan.synapse.pools.map((p) => [p.class, p.kind === "StatefulSet" ? instanceNames(ctx.plan, p.class) : []]),
  );
}

/** The Job's specification. */
export function checkJobSpec(input: CheckJobInput): batch.v1.JobSpec {
  const { extras = [] } = input;
  const { settings } = input.ctx;
  const classes = Object.entries(input.maps.classes) as Array<[WorkerClass, string]>;
  return {
    // No time to live: the engine's state names this Job until its name changes with the configuration.
    backoffLimit: 2,
    activeDeadlineSeconds: 600,
    completions: 1,
    parallelism: 1,
    template: podTemplate({
      settings,
      component: input.component,
      name: "synapse",
      version: imageVersion(settings, IMAGES.synapse),
      serviceAccountName: input.component,
      pod: {
        uid: SYNAPSE_UID,
        restartPolicy: "Never",
        containers: [
          {
            name: "check-config",
            image: imageRef(settings, IMAGES.synapse),
            command: ["python", `${CHECK_AT}/${SHARED_FILES.check}`],
            env: {
              INSTANCES: JSON.stringify(instances(input.ctx)),
              PYTHONDONTWRITEBYTECODE: "1",
              PYTHONPATH: `${MOUNTS.shared}:${CHECK_AT}`,
            },
            resources: { cpu: 0.1, memoryMiB: 256, memoryLimitMiB: 512 },
            mounts: [
              { volume: "check", path: CHECK_AT, readOnly: true },
              { volume: "shared", path: MOUNTS.shared, readOnly: true },
              { volume: "classes", path: "/conf/classes", readOnly: true },
              { volume: "secrets", path: MOUNTS.secrets, readOnly: true },
              { volume: "tmp", path: MOUNTS.tmp },
              { volume: "data", path: MOUNTS.data },
              ...(input.appservices ? [APPSERVICES_MOUNT] : []),
              ...(input.maps.terms === undefined ? [] : [TERMS_MOUNT]),
              ...(input.maps.email === undefined ? [] : [{ volume: "email", path: MOUNTS.email, readOnly: true }]),
              ...(extras.length > 0 ? [{ volume: "extra", path: MOUNTS.extra, readOnly: true }] : []),
            ],
          },
        ],
        volumes: [
          { name: "check", configMap: input.script },
          { name: "shared", configMap: input.maps.shared },
          {
            name: "classes",
            projected: classes.map(([cls, configMap]) => ({ configMap, items: { [CLASS_FILE]: `${cls}.yaml` } })),
            mode: 0o444,
          },
          { name: "secrets", secret: SECRETS.synapse },
          { name: "tmp", emptyDir: { sizeMiB: 64 } },
          { name: "data", emptyDir: { sizeMiB: 64 } },
          ...(input.appservices ? [appservicesVolume(input.appservices)] : []),
          ...termsVolume(settings, input.maps.terms),
          ...(input.maps.email === undefined ? [] : [{ name: "email", secret: input.maps.email }]),
          ...(extras.length > 0 ? [{ name: "extra", projected: projectedExtras(extras) }] : []),
        ],
      },
    }),
  };
}
