/** Options that only processes that serve media get: the pinned Synapse reads them nowhere else. */
import assert from "node:assert/strict";
import { MEDIA_OPTIONS } from "../../components/layers/synapse/extra/readers";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";

/** A value of each that is not its default. */
const VALUES: Record<string, unknown> = {
  dynamic_thumbnails: true,
  enable_authenticated_media: false,
  max_image_pixels: "7M",
  max_pending_media_uploads: 77,
  max_spider_size: "7M",
  media_upload_limits: [{ time_period: "7d", max_size: "7M" }],
  prevent_media_downloads_from: ["a.example"],
  thumbnail_sizes: [{ width: 77, height: 77, method: "scale" }],
  unused_expiration_time: "77h",
  url_preview_accept_language: ["de"],
  url_preview_url_blacklist: [{ netloc: "a.example" }],
};

/** All that a process knows of its configuration, with and without each option. */
const READ = `import copy, enum, json, re, types
from synapse.config.homeserver import HomeServerConfig

BASE = {
    "server_name": "example.org", "public_baseurl": "https://matrix.example.org/", "report_stats": False,
    "macaroon_secret_key": "m", "form_secret": "f", "signing_key": "ed25519 a_lPym qvioDNmfExFBRPgdTU+wtFYKq4JfwFRv7sYVgWvmgJg",
    "database": {"name": "psycopg2", "args": {"database": "synapse"}}, "trusted_key_servers": [],
    "worker_app": "synapse.app.generic_worker", "worker_name": "w", "instance_map": {"main": {"host": "a", "port": 1}},
    "url_preview_enabled": True, "url_preview_ip_range_blacklist": ["10.0.0.0/8"], "media_store_path": "/tmp/media",
}

def seen(value, around=()):
    if value is None or isinstance(value, (bool, int, float, str, bytes, enum.Enum)):
        return repr(value)
    if isinstance(value, re.Pattern):
        return value.pattern
    if isinstance(value, (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType)):
        return getattr(value, "__qualname__", value.__name__)
    if id(value) in around or len(around) > 12:
        return "..."
    around = (*around, id(value))
    if isinstance(value, dict):
        return {repr(k): seen(v, around) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [seen(v, around) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(seen(v, around)) for v in value)
    if type(value).__module__.startswith("jinja2"):
        return [type(value).__name__, getattr(value, "name", "")]
    names = [n for c in type(value).__mro__ for n in getattr(c, "__slots__", ()) if isinstance(n, str)]
    fields = {n: getattr(value, n) for n in names if n != "__weakref__" and hasattr(value, n)}
    fields.update(getattr(value, "__dict__", {}))
    return [type(value).__name__, {n: seen(v, around) for n, v in fields.items() if n != "root"}]

def read(media, more):
    config = HomeServerConfig()
    config.parse_config_dict(copy.deepcopy({**BASE, "enable_media_repo": media, **more}), "", "")
    return json.dumps({c.section: seen(getattr(config, c.section)) for c in config.config_classes}, sort_keys=True)

def same(media, more):
    return read(media, more) == read(media, {})

for name, value in json.load(open("${FILES_AT}/values.json")).items():
    print(json.dumps([name, same(False, {name: value}), same(True, {name: value})]))
# What every process reads is seen.
print(json.dumps(["enable_search", same(False, {"enable_search": False}), same(True, {"enable_search": False})]))
`;

describe("options of media", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());

  it("change nothing that a process knows which serves no media, and something in one that does", async () => {
    assert.deepEqual(Object.keys(VALUES).sort(), [...MEDIA_OPTIONS].sort());
    const done = await synapsePython(net, {
      files: { "values.json": JSON.stringify(VALUES), "read.py": READ },
      env: { HOME: "/tmp" },
      args: [`${FILES_AT}/read.py`],
    });
    assert.equal(done.status, 0, done.output);
    const lines = done.output.split("\n").filter((line) => line.startsWith("["));
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      [...Object.keys(VALUES).map((name) => [name, true, false]), ["enable_search", false, false]],
    );
    count("options of media that no other process reads", MEDIA_OPTIONS.length);
  });
});
