import json, os, sys
import yaml
from reasons import HIDDEN, reason
from synapse.config.homeserver import HomeServerConfig

# What anything else prints may hold values of the configuration, and some are secrets.
LOG = os.fdopen(os.dup(1), "w", buffering=1)
for standard in (1, 2):
    os.dup2(os.open(os.devnull, os.O_WRONLY), standard)
sys.excepthook = lambda kind, error, trace: print("BAD", reason(error), file=LOG)

SHARED, CLASSES, EMAIL, EXTRA, SECRETS = "@SHARED@/homeserver.yaml", "/conf/classes", "@EMAIL@/email.yaml", "@EXTRA@", "@SECRETS@"
instances = json.loads(os.environ["INSTANCES"])
known = {name for names in instances.values() for name in names}
shared = yaml.safe_load(open(SHARED))
bad = []


def want(condition, text):
    if not condition:
        bad.append(text)


def load(paths):
    return HomeServerConfig.load_config("check", [word for path in paths for word in ("-c", path)] + ["--no-secrets-in-config"])


def error_of(paths):
    try:
        load(paths)
    except BaseException as error:
        return error
    return None


def names_in(document):
    """The names of all options in it."""
    if isinstance(document, list):
        return {name for entry in document for name in names_in(entry)}
    if not isinstance(document, dict):
        return set()
    return {str(key) for key in document} | {name for inner in document.values() for name in names_in(inner)}


def masked(text):
    """The text without what is in the files of secrets."""
    for name in sorted(os.listdir(SECRETS)):
        if os.path.isfile("%s/%s" % (SECRETS, name)):
            for word in open("%s/%s" % (SECRETS, name)).read().split():
                text = text.replace(word, HIDDEN) if len(word) > 3 else text
    return text


def without(document, path):
    """A copy in which the option is not there. It is in memory: the document may hold secrets."""
    copy = json.loads(json.dumps(document, default=str))
    node = copy
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    memory = os.memfd_create("options")
    os.write(memory, yaml.safe_dump(copy).encode())
    return memory


def culprits(paths, own, why, at=()):
    """The options in the file `own` without which the error is another, or none."""
    document = yaml.safe_load(open(own)) or {}
    node = document
    for key in at:
        node = node[key]
    found = []
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []:
        memory = without(document, (*at, key))
        error = error_of(["/proc/self/fd/%d" % memory if path == own else path for path in paths])
        os.close(memory)
        if error is None or reason(error) != why:
            found += culprits(paths, own, why, (*at, key)) or [".".join(map(str, (*at, key)))]
    return found


places = {}


def problem(cls, error, paths):
    """What is wrong with a class's configuration."""
    own = [path for path in paths if path == EMAIL or path.startswith(EXTRA)]
    plain = error_of([path for path in paths if path not in own]) if own else error
    if plain is not None and reason(plain) == reason(error):
        # It is not about the files that are Secrets: all of the message may be shown.
        at = ".".join(map(str, getattr(plain, "path", None) or ()))
        return "%s: %s: %s" % (cls, type(plain).__name__, masked("%s %s" % (at, getattr(plain, "msg", plain))).strip())
    documents = [yaml.safe_load(open(path)) or {} for path in paths]
    names = {name for document in documents for name in names_in(document)}
    why = reason(error, names.__contains__)
    if isinstance(error, ModuleNotFoundError):
        # The name of a module is in the stack's file in clear.
        modules = [str(m.get("module")) for document in documents for m in document.get("modules") or []]
        why += " `%s`" % error.name if any((m + ".").startswith("%s." % error.name) for m in modules) else ""
    if why not in places:
        places[why] = [place for path in own for place in culprits(paths, path, reason(error))]
    where = ", ".join(places[why]) or "some option"
    return "%s: %s" % (cls, why if why.startswith(where + ": ") else "%s: %s" % (where, why))


for key in ("run_background_tasks_on", "update_user_directory_from_worker", "notify_appservices_from_worker", "media_instance_running_background_jobs"):
    want(shared.get(key, None) is None or shared[key] in known, "%s names no process: %s" % (key, shared.get(key)))
for key in ("federation_sender_instances", "pusher_instances"):
    for name in shared.get(key, []):
        want(name in known, "%s names no process: %s" % (key, name))
want(shared.get("public_baseurl"), "public_baseurl is not set")


media = 0
for cls, names in sorted(instances.items()):
    optional = [EMAIL, "%s/%s.yaml" % (CLASSES, cls), "%s/%s.yaml" % (EXTRA, cls)]
    paths = [SHARED, *(path for path in optional if os.path.exists(path))]
    name = names[0] if names else "synapse-%s-0" % cls
    if cls != "main":
        path = "/tmp/name-%s.yaml" % cls
        with open(path, "w") as f:
            f.write('worker_name: "%s"\n' % name)
        paths.append(path)
    try:
        c = load(paths)
    except BaseException as error:
        bad.append(problem(cls, error, paths))
        continue
    want(c.database.databases[0].config["name"] == "psycopg2", cls + ": the database is not PostgreSQL")
    want(c.redis.redis_enabled, cls + ": Redis is off, the process would die at its start")
    want((c.worker.worker_name is None) == (cls == "main"), cls + ": worker_name is wrong")
    resources = [n for l in (c.server.listeners if cls == "main" else c.worker.worker_listeners) if l.http_options for r in l.http_options.resources for n in r.names]
    want("health" in resources, cls + ": no health listener")
    want("media" not in resources or c.media.can_load_media_repo, cls + ": a media listener with the media repository off")
    want((names[0] if names else None) not in shared.get("instance_map", {}) or "replication" in resources, cls + ": in instance_map without a replication listener")
    media += "media" in resources
    print("ok", cls, " ".join(resources), file=LOG)
# @APPSERVICES@
want(media > 0, "no class serves media")
for text in bad:
    print("BAD", text, file=LOG)
sys.exit(1 if bad else 0)
