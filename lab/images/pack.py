#!/usr/bin/env python3
"""pack.py OUT.tar IN.tar...: merges OCI archives into one, each blob once, for a single `ctr images import`."""

import io, json, sys, tarfile

seen, manifests = set(), []
with tarfile.open(sys.argv[1], "w") as out:
    for path in sys.argv[2:]:
        with tarfile.open(path) as t:
            for m in t:
                if m.name == "index.json":
                    manifests += json.load(t.extractfile(m))["manifests"]
                elif m.name not in seen:
                    seen.add(m.name)
                    out.addfile(m, t.extractfile(m))
    b = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    i = tarfile.TarInfo("index.json")
    i.size, i.mode = len(b), 0o644
    out.addfile(i, io.BytesIO(b))
