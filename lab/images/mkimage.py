#!/usr/bin/env python3
"""mkimage.py NAME OUT.tar [options]: an OCI image archive (for `ctr images import`, skopeo, podman load), without a
registry or a container engine. First the --layer tars (shared between images when their bytes are equal), then one layer
of an overlayfs upper directory (--upper, whiteouts converted) and of extra files. Writes OUT.tar.digest beside it."""

import argparse, hashlib, io, json, os, stat, tarfile

ap = argparse.ArgumentParser()
ap.add_argument("name")
ap.add_argument("out")
ap.add_argument("--layer", action="append", default=[], metavar="TAR")
ap.add_argument("--upper", metavar="DIR")
ap.add_argument("--file", action="append", default=[], metavar="SRC:DST[:MODE]")
ap.add_argument("--dir", action="append", default=[], metavar="PATH=MODE[:UID]")
ap.add_argument("--link", action="append", default=[], metavar="PATH=TO")
ap.add_argument("--label", action="append", default=[], metavar="K=V")
ap.add_argument("--env", action="append", default=[], metavar="K=V")
ap.add_argument("--entrypoint", default="[]")
ap.add_argument("--cmd", default="[]")
ap.add_argument("--user", default="")
ap.add_argument("--workdir", default="/")
o = ap.parse_args()


def plain(info):
    """No names of this machine's users: only the numbers count in an image."""
    info.uname = info.gname = ""
    return info


def upper(tar, top):
    """An overlayfs upper directory as a layer: a device 0:0 is a deleted file, an opaque directory hides what is below."""
    for d, dirs, files in os.walk(top):
        dirs.sort()
        rel = os.path.relpath(d, top)
        if rel != ".":
            tar.add(d, rel, recursive=False, filter=plain)
            try:
                opaque = os.getxattr(d, "trusted.overlay.opaque") == b"y"
            except OSError:
                opaque = False
            if opaque:
                tar.addfile(tarfile.TarInfo(os.path.join(rel, ".wh..wh..opq")))
        for f in sorted(files) + [x for x in dirs if os.path.islink(os.path.join(d, x))]:
            p, r = os.path.join(d, f), os.path.normpath(os.path.join(rel, f))
            s = os.lstat(p)
            if stat.S_ISCHR(s.st_mode) and s.st_rdev == 0:
                tar.addfile(tarfile.TarInfo(os.path.join(os.path.dirname(r), ".wh." + f)))
            elif not stat.S_ISSOCK(s.st_mode):
                tar.add(p, r, recursive=False, filter=plain)


def sha(path, keep):
    """Digest of a file; of the shared layers it is kept beside them."""
    c = path + ".sha256"
    if keep and os.path.exists(c) and os.path.getmtime(c) >= os.path.getmtime(path):
        return open(c).read()
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while b := f.read(1 << 20):
            h.update(b)
    if keep:
        open(c, "w").write(h.hexdigest())
    return h.hexdigest()


layers, own = [(p, sha(p, True)) for p in o.layer], o.out + ".layer"
if o.upper or o.file or o.dir or o.link:
    with tarfile.open(own, "w", format=tarfile.PAX_FORMAT) as t:
        if o.upper:
            upper(t, o.upper)
        for d in o.dir:
            p, _, mode = d.partition("=")
            mode, _, uid = mode.partition(":")
            i = tarfile.TarInfo(p.lstrip("/"))
            i.type, i.mode, i.uid, i.gid = tarfile.DIRTYPE, int(mode, 8), int(uid or 0), int(uid or 0)
            t.addfile(i)
        for link in o.link:
            p, _, to = link.partition("=")
            i = tarfile.TarInfo(p.lstrip("/"))
            i.type, i.linkname = tarfile.SYMTYPE, to
            t.addfile(i)
        for f in o.file:
            src, dst, *mode = f.split(":")
            i = tarfile.TarInfo(dst.lstrip("/"))
            i.size, i.mode = os.path.getsize(src), int(mode[0] if mode else "755", 8)
            with open(src, "rb") as h:
                t.addfile(i, h)
    layers.append((own, sha(own, False)))

env = (
    o.env
    if any(e.startswith("PATH=") for e in o.env)
    else ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] + o.env
)


def dump(x):
    return json.dumps(x, sort_keys=True).encode()


def digest(b):
    return hashlib.sha256(b).hexdigest()


config = dump(
    {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",  # fixed: the same contents, the same digest
        "config": {
            "Entrypoint": json.loads(o.entrypoint),
            "Cmd": json.loads(o.cmd),
            "User": o.user,
            "WorkingDir": o.workdir,
            "Env": env,
            "Labels": dict(x.split("=", 1) for x in o.label),
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + h for _, h in layers]},
        "history": [{"created_by": "matrix-ha lab"}] * len(layers),
    }
)
manifest = dump(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": "sha256:" + digest(config),
            "size": len(config),
        },
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + h, "size": os.path.getsize(p)}
            for p, h in layers
        ],
    }
)
index = dump(
    {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": "sha256:" + digest(manifest),
                "size": len(manifest),
                "platform": {"architecture": "amd64", "os": "linux"},
                "annotations": {
                    "io.containerd.image.name": o.name,
                    "org.opencontainers.image.ref.name": o.name.rpartition(":")[2],
                },
            }
        ],
    }
)
with tarfile.open(o.out, "w") as t:

    def add(name, size, f):
        i = tarfile.TarInfo(name)
        i.size, i.mode = size, 0o644
        t.addfile(i, f)

    blobs = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": index,
        "blobs/sha256/" + digest(config): config,
        "blobs/sha256/" + digest(manifest): manifest,
    }
    for name, b in blobs.items():
        add(name, len(b), io.BytesIO(b))
    for p, h in layers:
        with open(p, "rb") as f:
            add("blobs/sha256/" + h, os.path.getsize(p), f)
with open(o.out + ".digest", "w") as f:
    f.write("sha256:" + digest(manifest))
if os.path.exists(own):
    os.unlink(own)
