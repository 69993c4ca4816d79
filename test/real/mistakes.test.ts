/**
 * Each mistake that Synapse refuses, and each that it accepts silently, made on purpose in the registered objects: the
 * stack's check before a deployment (the check Job) or the checks of these tests must catch it.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import type { KubernetesObject, Subject } from "../../policy/types";
import { subjectFor, byName } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { requireNamespaces } from "../../lab/real/network";
import { readAll, runCheckJob, silentProblems, synapseTemplates } from "../../lab/real/synapse";
import { stopReader } from "../../lab/real/synapseReader";

interface Edit {
  shared?: (y: any) => void;
  classes?: Record<string, (y: any) => void>;
}
interface Mistake extends Edit {
  title: string;
  /** What says so. */ caught: RegExp;
  /** The classes to read; all where the mistake shows only in the whole. */ read?: string[];
  command?: (script: string) => string;
}

const REFUSED: Mistake[] = [
  ...["typing", "to_device", "account_data", "presence", "push_rules"].map((stream): Mistake => ({
    title: `two writers for ${stream}`,
    shared: (y) => {
      y.stream_writers[stream] = ["synapse-receipts-0", "synapse-account-0"];
    },
    caught: /ConfigError|must have exactly one|Must only specify one/i,
    read: ["main", "generic"],
  })),
  {
    title: "an empty writer list",
    shared: (y) => {
      y.stream_writers.events = [];
    },
    caught: /ConfigError|instance/i,
    read: ["main", "generic"],
  },
  {
    title: "a writer missing from instance_map",
    shared: (y) => {
      delete y.instance_map["synapse-event-persister-0"];
    },
    caught: /instance_map/,
    read: ["generic"],
  },
  {
    title: "no main in instance_map",
    shared: (y) => {
      delete y.instance_map.main;
    },
    caught: /main/,
    read: ["generic"],
  },
  {
    title: "worker_replication_host",
    classes: {
      generic: (y) => {
        y.worker_replication_host = "main";
        y.worker_replication_port = 9093;
      },
    },
    caught: /worker_replication_host|worker_replication/,
    read: ["generic"],
  },
  {
    title: "a port given as a string",
    classes: {
      main: (y) => {
        y.listeners[0].port = "8080";
      },
    },
    caught: /port|integer/i,
    read: ["main"],
  },
  {
    title: "an unknown stream",
    shared: (y) => {
      y.stream_writers.typings = "synapse-account-0";
    },
    caught: /typings|unexpected keyword|Unknown/i,
    read: ["main", "generic"],
  },
  {
    title: "the main process as a writer named `main`",
    shared: (y) => {
      y.stream_writers.typing = ["main"];
    },
    caught: /main/,
    read: ["generic"],
  },
  {
    title: "an unknown listener resource",
    classes: {
      generic: (y) => {
        y.worker_listeners[2].resources[0].names = ["clients"];
      },
    },
    caught: /resource|clients/i,
    read: ["generic"],
  },
  {
    title: "no report_stats",
    shared: (y) => {
      delete y.report_stats;
    },
    caught: /report_stats|statistics/i,
    read: ["main"],
  },
  {
    title: "a secret both inline and by path",
    shared: (y) => {
      y.macaroon_secret_key = "inline-too";
    },
    caught: /macaroon_secret_key/,
    read: ["main", "generic"],
  },
  {
    title: "the file of a secret that is not there",
    shared: (y) => {
      y.macaroon_secret_key_path = "/secrets/none";
    },
    caught: /macaroon_secret_key_path|\/secrets\/none/,
    read: ["main", "generic"],
  },
  {
    title: "a duration of `1 hour`",
    shared: (y) => {
      y.turn_user_lifetime = "1 hour";
    },
    caught: /1 hour|invalid literal|duration|ValueError/i,
    read: ["main"],
  },
];
const SILENT: Mistake[] = [
  {
    title: "an unknown option",
    shared: (y) => {
      y.event_cache_sise = "10K";
    },
    caught: /no option event_cache_sise/,
    read: ["main", "generic"],
  },
  {
    title: "an unknown option within a section",
    shared: (y) => {
      y.presence.enable = true;
    },
    caught: /does not read presence\.enable/,
    read: ["main"],
  },
  {
    title: "run_background_tasks_on names no process",
    shared: (y) => {
      y.run_background_tasks_on = "synapse-background-9";
    },
    caught: /background work is done by no process|names no process/,
  },
  {
    title: "federation_sender_instances names no process",
    shared: (y) => {
      y.federation_sender_instances = ["sender-1"];
      delete y.send_federation;
    },
    caught: /federation_sender_instances names sender-1/,
  },
  {
    title: "no media_instance_running_background_jobs",
    shared: (y) => {
      delete y.media_instance_running_background_jobs;
    },
    caught: /media_instance_running_background_jobs is not set/,
  },
  {
    title: "a worker without worker_name",
    command: (script) => script.replace(/^printf 'worker_name.*$/m, "echo 'pid_file: /tmp/x.pid' > /tmp/name.yaml"),
    caught: /without worker_name|calls itself synapse\.app\.generic_worker/,
    read: ["generic"],
  },
  {
    title: "no public_baseurl",
    shared: (y) => {
      delete y.public_baseurl;
    },
    caught: /no public_baseurl|public_baseurl is not set/,
    read: ["main"],
  },
  {
    title: "SQLite with workers",
    classes: {
      generic: (y) => {
        y.database = { name: "sqlite3", args: { database: "/data/homeserver.db" } };
      },
    },
    caught: /database is sqlite3|not PostgreSQL/,
    read: ["generic"],
  },
  {
    title: "a media listener with the media repository off",
    classes: {
      media: (y) => {
        y.enable_media_repo = false;
      },
    },
    caught: /media listener with the media repository off/,
    read: ["media"],
  },
  {
    title: "Redis off",
    shared: (y) => {
      y.redis.enabled = false;
    },
    caught: /Redis is off/,
    read: ["generic"],
  },
  {
    title: "the S3 module missing",
    classes: {
      media: (y) => {
        y.media_storage_providers[0].module = "s3_storage_providerx.S3StorageProviderBackend";
      },
    },
    caught: /s3_storage_providerx/,
    read: ["media"],
  },
];

function changed(s: Subject, m: Mistake): KubernetesObject[] {
  return s.objects.map((o) => {
    if (o.kind !== "ConfigMap" || o.namespace !== "matrix") return o;
    const edit = (file: string, change: (y: any) => void): KubernetesObject => {
      const y = parse(o.inputs.data[file]);
      change(y);
      return { ...o, inputs: { ...o.inputs, data: { ...o.inputs.data, [file]: stringify(y) } } };
    };
    if (m.shared && o.inputs.data?.["homeserver.yaml"]) return edit("homeserver.yaml", m.shared);
    for (const [cls, change] of Object.entries(m.classes ?? {}))
      if (o.inputs.data?.["class.yaml"] && o.name.replace(/-[0-9a-f]{10}$/, "") === `synapse-${cls}`)
        return edit("class.yaml", change);
    return o;
  });
}

const TAKEN = {
  extra: {
    presence: { include_offline_users_on_sync: true },
    caches: { per_cache_factors: { get_users_in_room: 2 } },
    jwt_config: { enabled: false, secret: "s", algorithm: "HS256" },
  },
  // Of Synapse itself: it is in the image.
  modules: [
    {
      module: "synapse.events.auto_accept_invites.InviteAutoAccepter",
      config: { enabled: true, worker_to_run_on: "synapse-background-0" },
    },
  ],
};

describe("mistakes made on purpose", () => {
  let s: Subject, dir: string;
  before(async () => {
    requireNamespaces();
    s = await subjectFor(byName("1000 CCU, federation off, MinIO"));
  });
  after(stopReader);
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "mistake-"));
    fs.chmodSync(dir, 0o755);
  });
  afterEach(() => {
    fs.rmSync(dir, { recursive: true, force: true });
  });

  const find = async (m: Mistake): Promise<{ problems: string; job?: string }> => {
    const objects = changed(s, m);
    const templates = synapseTemplates(s)
      .filter((t) => !m.read || m.read.includes(t.owner.name.replace(/^synapse-/, "")))
      .map((t) =>
        m.command
          ? {
              ...t,
              spec: {
                ...t.spec,
                containers: t.spec.containers.map((c: any) => ({ ...c, command: c.command.map(m.command) })),
              },
            }
          : t,
      );
    const processes = await readAll(dir, templates, objects, m.read !== undefined);
    const job = m.command ? undefined : await runCheckJob(path.join(dir, "job"), s, objects);
    return { problems: silentProblems(processes).join("\n"), job: job && job.status !== 0 ? job.text : undefined };
  };
  /** What neither the list of Synapse's options nor its documentation says, Synapse itself does. */
  const EXTRA: Array<[what: string, synapse: object, caught: RegExp | undefined]> = [
    ["options and a module that Synapse takes", TAKEN, undefined],
    [
      "a duration that is none",
      { extra: { session_lifetime: "1 fortnight" } },
      /main: TypeError: Bad duration suffix 1 fortnight/,
    ],
    [
      "options that exclude each other",
      { extra: { limit_profile_requests_to_users_who_share_rooms: true, require_auth_for_profile_requests: false } },
      /main: ConfigError.*require_auth_for_profile_requests/s,
    ],
    [
      "a key server without a name",
      { extra: { trusted_key_servers: [{ verify_keys: {} }] } },
      /main: ConfigError.*trusted_key_servers/s,
    ],
    [
      "a module that the image does not have",
      { modules: [{ module: "no_such_module.Checker" }] },
      /main: ModuleNotFoundError.*no_such_module/,
    ],
    [
      "a module on one class only",
      { modules: [{ module: "no_such_module.Checker", workers: ["event-persister"] }] },
      /event-persister: ModuleNotFoundError.*no_such_module/,
    ],
  ];
  for (const [what, synapse, caught] of EXTRA) {
    it(`${what}: ${caught ? "stopped by" : "passes"} the check before the deployment`, async () => {
      const base = byName("1000 CCU, federation off, MinIO");
      const extra = await subjectFor({ name: `extra: ${what}`, config: { ...base.config, synapse } });
      const job = await runCheckJob(path.join(dir, "job"), extra, extra.objects);
      if (!caught) {
        assert.equal(job.status, 0, job.text);
        const processes = await readAll(path.join(dir, "pods"), synapseTemplates(extra), extra.objects, true);
        assert.deepEqual(
          silentProblems(processes).filter((p) => !/Synapse does not read|no option|which is not a process/.test(p)),
          [],
        );
        for (const p of processes) assert.equal(p.raw.presence.include_offline_users_on_sync, true, p.id);
        return;
      }
      assert.notEqual(job.status, 0, job.text);
      assert.match(job.text, caught);
      if (/event-persister/.test(caught.source)) assert.doesNotMatch(job.text, /BAD main/);
      count("wrong options of synapse.extra that the check Job stopped");
    });
  }
  for (const m of REFUSED) {
    it(`${m.title}: refused by Synapse, in the pod and in the check before the deployment`, async () => {
      const found = await find(m);
      assert.match(found.problems, m.caught);
      assert.ok(found.job, "the check before the deployment did not fail");
      count("mistakes made on purpose and caught");
    });
  }
  for (const m of SILENT) {
    it(`${m.title}: accepted by Synapse, not by the checks`, async () => {
      const found = await find(m);
      assert.match(found.problems, m.caught);
      count("mistakes made on purpose and caught");
      if (found.job) count("of them stopped by the check Job too");
    });
  }
});
