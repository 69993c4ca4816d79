import os, sys, time

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
                if age > (86400 if "/url_cache" in path else 600):
                    files.append((-age, s.st_blocks * 512, path))
        if total > bound:
            for _, size, path in sorted(files):
                if total <= bound * 0.8:
                    break
                try:
                    os.unlink(path)
                    total -= size
                except FileNotFoundError:
                    pass
    except Exception as error:
        print("media cache:", error, file=sys.stderr, flush=True)
    time.sleep(60)
