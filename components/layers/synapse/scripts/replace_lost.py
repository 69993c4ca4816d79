import datetime, http.server, json, os, signal, socket, ssl, sys, threading, time, urllib.error, urllib.parse, urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"
NAMESPACE, LABEL, PORT = os.environ["NAMESPACE"], os.environ["LABEL"], int(os.environ["PORT"])
LOOK_SECONDS = 2
ANSWER_SECONDS = 5
# A pod that should have ended so long ago does not end by itself.
STUCK_SECONDS = 30
# A round without an answer so long: not ready. The last round began so long ago: hangs.
SILENT_SECONDS = 30
HANGS_SECONDS = 60

host = os.environ["KUBERNETES_SERVICE_HOST"]
API = "https://%s:%s" % ("[%s]" % host if ":" in host else host, os.environ["KUBERNETES_SERVICE_PORT"])
tls = ssl.create_default_context(cafile=ACCOUNT + "ca.crt")
# Python 3.13 refuses authorities without an identifier of their key, which many clusters have; all else is checked.
tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
began = answered = time.monotonic()


def request(method, path, body=None):
    with open(ACCOUNT + "token") as token:
        headers = {"Authorization": "Bearer " + token.read().strip(), "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(API + path, data, headers, method=method), timeout=ANSWER_SECONDS, context=tls) as answer:
        return json.load(answer)


def lost(node):
    return any(t["key"] == "node.kubernetes.io/unreachable" and t["effect"] == "NoExecute" for t in node["spec"].get("taints") or [])


def overdue(pod, now):
    """Seconds since its time to end was over."""
    until = pod["metadata"].get("deletionTimestamp")
    return until and (now - datetime.datetime.fromisoformat(until.replace("Z", "+00:00"))).total_seconds() > STUCK_SECONDS


def replace(pod, why):
    name = pod["metadata"]["name"]
    try:
        # Of this pod, not of a successor that has its name meanwhile.
        request("DELETE", "/api/v1/namespaces/%s/pods/%s" % (NAMESPACE, name), {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}})
        print("replaced %s: %s" % (name, why), flush=True)
    except urllib.error.HTTPError as error:
        if error.code not in (404, 409):
            raise
        print("%s is gone already" % name, flush=True)


def look():
    nodes = {n["metadata"]["name"]: n for n in request("GET", "/api/v1/nodes")["items"]}
    gone = {name for name, node in nodes.items() if lost(node)}
    pods = request("GET", "/api/v1/namespaces/%s/pods?labelSelector=%s" % (NAMESPACE, urllib.parse.quote(LABEL)))["items"]
    now = datetime.datetime.now(datetime.timezone.utc)
    for pod in pods:
        if pod["spec"].get("nodeName") in gone:
            replace(pod, "%s is lost" % pod["spec"]["nodeName"])
        elif overdue(pod, now):
            replace(pod, "it should have ended by %s" % pod["metadata"]["deletionTimestamp"])


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        since, most = (answered, SILENT_SECONDS) if self.path == "/ready" else (began, HANGS_SECONDS)
        self.send_response(200 if time.monotonic() - since < most else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer
if ":" in os.environ["LISTEN"]:
    server.address_family = socket.AF_INET6
threading.Thread(target=server((os.environ["LISTEN"], PORT), Health).serve_forever, daemon=True).start()
said = None
while True:
    began = time.monotonic()
    try:
        look()
        answered, why = time.monotonic(), "the API server answers"
    except (OSError, ValueError, KeyError) as error:
        why = "the API server: %s" % error
    if why != said:
        print(why, flush=True)
        said = why
    time.sleep(LOOK_SECONDS)
