"""Reads the configuration of many Synapse processes, each as its pod would: in its pod's root file system, as its user, with
its environment, by running its pod's own start command up to the point where Synapse would start. One JSON line per process.

stdin: [{"id", "root", "uid", "env": {}, "command": [...]}]"""
import json, logging, os, subprocess, sys, warnings
import yaml
import synapse.app.generic_worker, synapse.app.homeserver, s3_storage_provider  # loaded once, for all
from synapse.config.homeserver import HomeServerConfig

pods = json.load(sys.stdin)


class Remember(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def start_arguments(pod):
    """What the pod's command hands to `python -m synapse.app...`."""
    with open("/shim/python", "w") as f:
        f.write('#!/bin/sh\n[ "$1" = -m ] || exit 0\n: > /shim/argv\nfor a in "$@"; do printf "%s\\n" "$a" >> /shim/argv; done\n')
    os.chmod("/shim/python", 0o755)
    env = dict(pod["env"], PATH="/shim:" + pod["env"]["PATH"])
    done = subprocess.run(pod["command"], env=env, capture_output=True, text=True)
    if done.returncode != 0 or not os.path.exists("/shim/argv"):
        raise RuntimeError("the start command failed: " + done.stderr + done.stdout)
    argv = open("/shim/argv").read().splitlines()
    return argv[1], argv[2:]


def describe(module, argv):
    heard = Remember()
    logging.getLogger().addHandler(heard)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        c = HomeServerConfig.load_config("Synapse", argv)
    merged = {}
    for i, a in enumerate(argv):
        if a == "-c":
            merged.update(yaml.safe_load(open(argv[i + 1])) or {})
    worker = module != "synapse.app.homeserver"
    listeners = c.worker.worker_listeners if worker else c.server.listeners
    if worker:
        # What generic_worker's start() insists on.
        assert c.worker.worker_app == "synapse.app.generic_worker", "worker_app is %r" % c.worker.worker_app
    else:
        assert c.worker.worker_app is None, "the main process has a worker_app"
    db = c.database.databases[0].config
    w = c.worker
    return {
        "name": w.worker_name, "instance": w.instance_name, "module": module, "raw": merged,
        "listeners": [{"port": l.port, "type": getattr(l, "type", None), "resources": [n for r in (l.http_options.resources if l.http_options else []) for n in r.names]} for l in listeners],
        "database": db["name"], "databaseHost": db.get("args", {}).get("host"), "redis": c.redis.redis_enabled, "redisPassword": bool(getattr(c.redis, "redis_password", None)),
        "mediaRepo": c.media.can_load_media_repo, "background": w.run_background_tasks,
        "userDirectory": w.should_update_user_directory, "appservices": w.should_notify_appservices,
        "sender": w.send_federation, "pusher": w.start_pushers, "baseUrl": c.server.public_baseurl,
        "writers": {s: getattr(w.writers, s) for s in vars(w.writers)} if hasattr(w.writers, "__dict__") else {s: getattr(w.writers, s) for s in w.writers.__slots__},
        "instanceMap": {k: getattr(v, "port", None) for k, v in w.instance_map.items()},
        "secrets": {"signing": bool(c.key.signing_key), "macaroon": bool(c.key.macaroon_secret_key), "form": bool(c.key.form_secret), "replication": bool(w.worker_replication_secret), "registration": bool(c.registration.registration_shared_secret)},
        "warnings": heard.lines + [str(x.message) for x in warned if "synapse" in str(x.filename) and "authlib.jose" not in str(x.message)],  # a library's own news
    }


for pod in pods:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            os.chroot(pod["root"])
            os.chdir("/")
            os.setgroups([pod["uid"]])
            os.setgid(pod["uid"])
            os.setuid(pod["uid"])
            os.environ.clear()
            os.environ.update(pod["env"])
            module, argv = start_arguments(pod)
            answer = describe(module, argv)
        except BaseException as error:
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        data = json.dumps(dict(answer, id=pod["id"]), default=str).encode()
        with os.fdopen(write, "wb") as f:
            f.write(data)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as f:
        print(f.read().decode(), flush=True)
    os.waitpid(child, 0)
