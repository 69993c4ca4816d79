import json, os, sys
import yaml
from synapse.config.homeserver import HomeServerConfig

SHARED, CLASSES, EMAIL = "@SHARED@/homeserver.yaml", "/conf/classes", "@EMAIL@/email.yaml"
instances = json.loads(os.environ["INSTANCES"])
known = {name for names in instances.values() for name in names}
shared = yaml.safe_load(open(SHARED))
bad = []


def want(condition, text):
    if not condition:
        bad.append(text)


for key in ("run_background_tasks_on", "update_user_directory_from_worker", "notify_appservices_from_worker", "media_instance_running_background_jobs"):
    want(shared.get(key, None) is None or shared[key] in known, "%s names no process: %s" % (key, shared.get(key)))
for key in ("federation_sender_instances", "pusher_instances"):
    for name in shared.get(key, []):
        want(name in known, "%s names no process: %s" % (key, name))
want(shared.get("public_baseurl"), "public_baseurl is not set")

media = 0
for cls, names in sorted(instances.items()):
    files = ["-c", SHARED] + (["-c", EMAIL] if os.path.exists(EMAIL) else []) + ["-c", "%s/%s.yaml" % (CLASSES, cls)]
    # @EXTRA@
    name = names[0] if names else "synapse-%s-0" % cls
    if cls != "main":
        path = "/tmp/name-%s.yaml" % cls
        with open(path, "w") as f:
            f.write('worker_name: "%s"\n' % name)
        files += ["-c", path]
    try:
        c = HomeServerConfig.load_config("check", files + ["--no-secrets-in-config"])
    except BaseException as error:
        bad.append("%s: %s: %s" % (cls, type(error).__name__, error))
        continue
    want(c.database.databases[0].config["name"] == "psycopg2", cls + ": the database is not PostgreSQL")
    want(c.redis.redis_enabled, cls + ": Redis is off, the process would die at its start")
    want((c.worker.worker_name is None) == (cls == "main"), cls + ": worker_name is wrong")
    resources = [n for l in (c.server.listeners if cls == "main" else c.worker.worker_listeners) if l.http_options for r in l.http_options.resources for n in r.names]
    want("health" in resources, cls + ": no health listener")
    want("media" not in resources or c.media.can_load_media_repo, cls + ": a media listener with the media repository off")
    want((names[0] if names else None) not in shared.get("instance_map", {}) or "replication" in resources, cls + ": in instance_map without a replication listener")
    media += "media" in resources
    print("ok", cls, " ".join(resources))
# @APPSERVICES@
want(media > 0, "no class serves media")
for text in bad:
    print("BAD", text, file=sys.stderr)
sys.exit(1 if bad else 0)
