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

/** In every place of a wrong option that may hold a secret; no word of the stack or of Synapse. */
const PLANTED = "hunter2-zq";
/** Options of the main process, and what the log of the check has to say of them. */
const WITH_SECRETS: Array<[options: object, said: RegExp]> = [
  [{ session_lifetime: PLANTED }, /session_lifetime: TypeError: Bad duration suffix [.]{3} \(expected/],
  [{ session_lifetime: `1 ${PLANTED}` }, /session_lifetime: TypeError: Bad duration suffix/],
  [
    { trusted_key_servers: [{ verify_keys: {}, x: PLANTED }] },
    /trusted_key_servers[.]0: ConfigError: .*schema wants: required \["server_name"\]/,
  ],
  [{ trusted_key_servers: PLANTED }, /trusted_key_servers: ConfigError: trusted_key_servers, if given, must be a list/],
  [
    { trusted_key_servers: [{ server_name: "a.b", verify_keys: { "ed25519:a": PLANTED } }] },
    /trusted_key_servers[.]0.*: ConfigError: Unable to parse key [.]{3} for server/,
  ],
  [{ jwt_config: { enabled: true, secret: PLANTED } }, /jwt_config.*: KeyError: no `algorithm`/],
  [{ jwt_config: PLANTED }, /jwt_config: AttributeError: 'str' object has no attribute 'get'/],
  [
    { cas_config: { enabled: true, server_url: `https://u:${PLANTED}@a.b`, protocol_version: PLANTED } },
    /cas_config.*: ConfigError: Unsupported CAS protocol version [.]{3} \(only versions 1, 2, 3/,
  ],
  [{ password_config: PLANTED }, /password_config: AttributeError/],
  [{ password_config: { pepper: PLANTED, policy: PLANTED } }, /password_config[.]policy: AttributeError/],
  [
    { email: { smtp_host: "a", smtp_pass: PLANTED, notif_from: `${PLANTED}%(app` } },
    /email.*: RuntimeError: Invalid notif_from/,
  ],
  [{ email: { smtp_host: "a", smtp_pass: PLANTED, enable_notifs: true } }, /email.*: ConfigError: .*required keys/],
  [{ oidc_providers: [{ idp_id: PLANTED, idp_name: 3 }] }, /oidc_providers[.].*type "string"/],
  [
    {
      oidc_providers: [
        {
          idp_id: "a",
          idp_name: "b",
          issuer: "https://a.b",
          client_id: "c",
          client_secret: PLANTED,
          client_auth_method: PLANTED,
        },
      ],
    },
    /oidc_providers[.].*enum \["client_secret_basic"/,
  ],
  [{ caches: { global_factor: PLANTED } }, /caches[.]global_factor: ConfigError/],
  [{ rc_message: PLANTED }, /rc_message: AttributeError/],
  [{ turn_user_lifetime: PLANTED }, /turn_user_lifetime: TypeError: Bad duration suffix/],
  [
    { matrix_authentication_service: { enabled: true, secret: PLANTED, endpoint: PLANTED } },
    /matrix_authentication_service.*: Input should be a valid URL/,
  ],
  [{ matrix_rtc: { transports: PLANTED } }, /matrix_rtc.*: Input should be a valid list/],
  [{ room_prejoin_state: PLANTED }, /room_prejoin_state: .*ConfigError/],
  [{ sentry: { dsn: `https://${PLANTED}@a.b/1` } }, /sentry.*: DependencyException/],
  [{ recaptcha_private_key: [PLANTED] }, /recaptcha_private_key.*: ConfigError/],
  [{ alias_creation_rules: [{ action: PLANTED }] }, /alias_creation_rules.*: ConfigError: [.]{3} rules can only/],
  [{ federation_custom_ca_list: [PLANTED] }, /federation_custom_ca_list.*: ConfigError: Error accessing file/],
  [{ modules: [{ module: "synapse", config: { token: PLANTED } }] }, /modules[.]0.*: \w+Error/],
  [{ modules: [{ module: `synapse.${PLANTED}` }] }, /modules[.]0.*: AttributeError: module/],
];

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
      /main: session_lifetime: (TypeError|ValueError): /,
    ],
    [
      "options that exclude each other",
      { extra: { limit_profile_requests_to_users_who_share_rooms: true, require_auth_for_profile_requests: false } },
      /main: limit_profile_requests_to_users_who_share_rooms, require_auth_for_profile_requests: .*ConfigError/,
    ],
    [
      "a key server without a name",
      { extra: { trusted_key_servers: [{ verify_keys: {} }] } },
      /main: trusted_key_servers[.]0: ConfigError: .*schema wants: required \["server_name"\]/,
    ],
    [
      "a module that the image does not have",
      { modules: [{ module: "no_such_module.Checker" }] },
      /main: modules[.]2([.]module)?: ModuleNotFoundError.*`no_such_module`/,
    ],
    [
      "a module on one class only",
      { modules: [{ module: "no_such_module.Checker", workers: ["event-persister"] }] },
      /event-persister: modules[.]2([.]module)?: ModuleNotFoundError.*`no_such_module`/,
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
  describe("what the check says of options that are wrong", () => {
    let secret: Subject;
    before(async () => {
      const { config } = byName("1000 CCU, federation off, MinIO");
      const synapse = { extra: { enable_search: false } };
      secret = await subjectFor({ name: "extra: secrets", config: { ...config, synapse } });
    });
    /** The check of the main process alone, with these options in its Secret. */
    const said = async (options: object): Promise<string> => {
      const objects = secret.objects.map((o) =>
        /^synapse-main-extra-/.test(o.name)
          ? { ...o, inputs: { ...o.inputs, stringData: { "extra.yaml": stringify(options) } } }
          : o,
      );
      const alone = (c: any): unknown => ({
        ...c,
        env: c.env.map((e: any) => (e.name === "INSTANCES" ? { ...e, value: '{"main": ["synapse-main-0"]}' } : e)),
      });
      const templates = secret.templates.map((t) =>
        t.owner.name.startsWith("synapse-check-config")
          ? { ...t, spec: { ...t.spec, containers: t.spec.containers.map(alone) } }
          : t,
      );
      const { text, status } = await runCheckJob(path.join(dir, "job"), { ...secret, templates }, objects);
      assert.notEqual(status, 0, text);
      return text;
    };
    for (const [options, what] of WITH_SECRETS)
      it(`${JSON.stringify(options).slice(0, 70)}: the option and the reason, without a value`, async () => {
        const text = await said(options);
        const line = text.split("\n").find((l) => l.startsWith("BAD main: "));
        assert.match(line ?? text, what);
        // Neither whole nor in part: no four letters of it.
        for (let i = 0; i + 4 <= PLANTED.length; i++)
          assert.ok(!text.includes(PLANTED.slice(i, i + 4)), `${PLANTED.slice(i, i + 4)} in ${text}`);
        count("wrong options whose value the check Job did not show");
      });
  });
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
