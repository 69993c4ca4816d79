import os, sys, time

# The volume has room for half as much again. A file of the last ten minutes may still be on its way to the object store;
# when a quarter is taken, those go as well that nobody has touched for a minute: a full volume would evict the pod.
root, bound = sys.argv[1], int(sys.argv[2])
while True:
    try:
        files, total, now = [], 0, time.time()
        for directory, _, names in os.walk(root):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    s = os.stat(path)
                except FileNotFoundError:
                    continue
                total += s.st_blocks * 512
                age = now - max(s.st_atime, s.st_mtime)
                if age > 60:
                    files.append((-age, s.st_blocks * 512, path))
        full = total > bound * 1.25
        if total > bound:
            for age, size, path in sorted(files):
                if total <= bound * 0.8:
                    break
                if not full and -age <= (86400 if "/url_cache" in path else 600):
                    continue
                try:
                    os.unlink(path)
                    total -= size
                except FileNotFoundError:
                    pass
    except Exception as error:
        print("media cache:", error, file=sys.stderr, flush=True)
    time.sleep(15)
