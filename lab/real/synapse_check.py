"""Reads the configuration of many Synapse processes, each as its pod would: in its pod's root file system, as its user, with
its environment, by running its pod's own start command up to the point where Synapse would start. Runs with the image's
Python, chrooted into the image; descriptor 9 is the machine's own root, so that a child can mount a pod's files.

stdin: one request a line, {"key", "mount", "root", "uid", "pods": [{"id", "env", "command"}], "run": true for a Job}
stdout: one line for each pod, {"key", "id", ...}, and {"key", "done": true} when a request is through."""

import json, logging, os, runpy, select, subprocess, sys, warnings
import yaml
import synapse.app.generic_worker, synapse.app.homeserver, s3_storage_provider  # noqa: F401 - loaded once, for all
from synapse.config.homeserver import HomeServerConfig

yaml.SafeLoader = yaml.CSafeLoader  # the same loader, written in C
AT_ONCE = 2


class Remember(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def start_arguments(pod):
    """What the pod's command hands to `python -m synapse.app...`."""
    with open("/shim/python", "w") as f:
        f.write(
            '#!/bin/sh\n[ "$1" = -m ] || exit 0\n: > /shim/argv\nfor a in "$@"; do printf "%s\\n" "$a" >> /shim/argv; done\n'
        )
    os.chmod("/shim/python", 0o755)
    env = dict(pod["env"], PATH="/shim:" + pod["env"]["PATH"])
    done = subprocess.run(pod["command"], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not os.path.exists("/shim/argv"):
        raise RuntimeError("the start command failed: " + done.stderr + done.stdout)
    argv = open("/shim/argv").read().splitlines()
    os.unlink("/shim/argv")
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
    # Without a library's own news.
    ours = [str(x.message) for x in warned if "synapse" in str(x.filename) and "authlib.jose" not in str(x.message)]
    return {
        "name": w.worker_name,
        "instance": w.instance_name,
        "module": module,
        "raw": merged,
        "listeners": [
            {
                "port": l.port,
                "type": getattr(l, "type", None),
                "resources": [n for r in (l.http_options.resources if l.http_options else []) for n in r.names],
            }
            for l in listeners
        ],
        "database": db["name"],
        "databaseHost": db.get("args", {}).get("host"),
        "redis": c.redis.redis_enabled,
        "redisPassword": bool(getattr(c.redis, "redis_password", None)),
        "mediaRepo": c.media.can_load_media_repo,
        "background": w.run_background_tasks,
        "userDirectory": w.should_update_user_directory,
        "appservices": w.should_notify_appservices,
        "sender": w.send_federation,
        "pusher": w.start_pushers,
        "baseUrl": c.server.public_baseurl,
        "writers": {s: getattr(w.writers, s) for s in vars(w.writers)}
        if hasattr(w.writers, "__dict__")
        else {s: getattr(w.writers, s) for s in w.writers.__slots__},
        "instanceMap": {k: getattr(v, "port", None) for k, v in w.instance_map.items()},
        "secrets": {
            "signing": bool(c.key.signing_key),
            "macaroon": bool(c.key.macaroon_secret_key),
            "form": bool(c.key.form_secret),
            "replication": bool(w.worker_replication_secret),
            "registration": bool(c.registration.registration_shared_secret),
        },
        "warnings": heard.lines + ours,
    }


def enter(request, pod):
    os.chroot(request["root"])
    os.chdir("/")
    os.setgroups([request["uid"]])
    os.setgid(request["uid"])
    os.setuid(request["uid"])
    os.environ.clear()
    os.environ.update(pod["env"])
    sys.path[1:1] = [p for p in pod["env"].get("PYTHONPATH", "").split(":") if p]


def run(pod):
    """A Job: its own Python script, to its end, in this interpreter."""
    assert pod["command"][0] == "python", pod["command"]
    sys.argv = pod["command"][1:]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def in_child(work):
    """What `work` returns, done in a process of its own; and all that this one printed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        out = os.memfd_create("out")
        os.dup2(out, 1)
        os.dup2(out, 2)
        try:
            answer = work()
        except BaseException as error:
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        sys.stdout.flush()
        os.lseek(out, 0, 0)
        printed = os.read(out, 1 << 20).decode(errors="replace")
        with os.fdopen(write, "wb") as f:
            f.write(json.dumps(dict(answer, printed=printed), default=str).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as f:
        data = f.read()
    os.waitpid(child, 0)
    return json.loads(data) if data else {"error": "the process died"}


def serve(request, out):
    """In a child: mounts the pod's files in a mount namespace of its own, and answers for each of its pods."""
    os.fchdir(9)
    os.chroot(".")
    os.unshare(os.CLONE_NEWNS)
    mounted = subprocess.run(
        ["bash", "-c", "mount --make-rprivate /\n" + request["mount"]],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    for pod in request["pods"]:

        def work(pod=pod):
            if mounted.returncode != 0:
                raise RuntimeError("mounting: " + mounted.stderr)
            enter(request, pod)
            if request.get("run"):
                return {"status": run(pod)}
            return describe(*start_arguments(pod))

        os.write(out, (json.dumps(dict(in_child(work), key=request["key"], id=pod["id"])) + "\n").encode())
    os.write(out, (json.dumps({"key": request["key"], "done": True}) + "\n").encode())


waiting, children, pending = [], {}, b""
reading = True
while reading or waiting or children:
    while waiting and len(children) < AT_ONCE:
        request = waiting.pop(0)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            try:
                serve(request, write)
            except BaseException as error:
                os.write(
                    write, (json.dumps({"key": request["key"], "done": True, "failed": repr(error)}) + "\n").encode()
                )
            os._exit(0)
        os.close(write)
        children[read] = [child, b""]
    ready, _, _ = select.select(list(children) + ([0] if reading else []), [], [])
    for fd in ready:
        data = os.read(fd, 1 << 16)
        if fd == 0:
            reading = bool(data)
            pending += data
            *lines, pending = pending.split(b"\n")
            waiting += [json.loads(l) for l in lines if l]
        elif data:
            children[fd][1] += data
            *lines, children[fd][1] = children[fd][1].split(b"\n")
            for l in lines:
                sys.stdout.write(l.decode() + "\n")
            sys.stdout.flush()
        else:
            os.close(fd)
            os.waitpid(children.pop(fd)[0], 0)
