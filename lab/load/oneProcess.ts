/** The same stack's Synapse as one process, the way most people begin: no workers, no Redis, no router. Pure. */
import * as yaml from "yaml";
import { PORTS } from "../../components/core/names";
import type { KubernetesObject, Subject } from "../../policy/types";

/** What tells processes of each other, and what they share. The stack's modules are for several processes as well. */
const OF_WORKERS = [
  "instance_map",
  "stream_writers",
  "redis",
  "worker_replication_secret_path",
  "pusher_instances",
  "federation_sender_instances",
  "send_federation",
  "run_background_tasks_on",
  "notify_appservices_from_worker",
  "update_user_directory_from_worker",
  "enable_media_repo",
  "media_instance_running_background_jobs",
  "media_storage_providers",
  "modules",
];

type Options = Record<string, any>;

export const withoutWorkers = (shared: Options): Options => ({
  ...Object.fromEntries(Object.entries(shared).filter(([key]) => !OF_WORKERS.includes(key))),
  send_federation: false,
  media_store_path: "/tmp/media",
});

/** Serves what all classes serve. */
export const withAllListeners = (own: Options): Options => ({
  ...own,
  listeners: own.listeners
    .filter(({ resources }: Options) => !resources?.some((r: Options) => r.names.includes("replication")))
    .map((listener: Options) =>
      listener.port === PORTS.synapseHttp
        ? { ...listener, resources: [{ names: ["client", "openid", "media"], compress: false }] }
        : listener,
    ),
});

/** A file of a ConfigMap as another one; the name of the ConfigMap stays. */
function changed(object: KubernetesObject, file: string, change: (options: Options) => Options): KubernetesObject {
  const text = object.inputs.data?.[file];
  if (text === undefined) return object;
  const data = { ...object.inputs.data, [file]: yaml.stringify(change(yaml.parse(text))) };
  return { ...object, inputs: { ...object.inputs, data } };
}

/** The stack with main as its only process. */
export function oneProcess(subject: Subject): Subject {
  const isSynapse = (o: KubernetesObject): boolean => o.kind === "ConfigMap" && o.name.startsWith("synapse-");
  return {
    ...subject,
    objects: subject.objects.map((o) =>
      isSynapse(o)
        ? changed(
            changed(o, "homeserver.yaml", withoutWorkers),
            "class.yaml",
            o.name.startsWith("synapse-main-") ? withAllListeners : (own) => own,
          )
        : o,
    ),
    templates: subject.templates.filter(
      (t) => t.labels["app.kubernetes.io/name"] !== "synapse" || t.owner.name === "synapse-main",
    ),
  };
}
