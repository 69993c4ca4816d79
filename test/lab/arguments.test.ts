import { strict as assert } from "node:assert";
import { clusterFlags, parseRequest, USAGE, COMMANDS } from "../../lab/local/arguments";
import { parseImagesArgs } from "../../lab/images/index";
import { prefixProblem } from "../../lab/images/push";

const request = (text: string): ReturnType<typeof parseRequest> => parseRequest(text.split(" ").filter(Boolean));

describe("npm run local: arguments", () => {
  it("gives the next command the flags for the same cluster", () => {
    const flags = (...argv: string[]): string => clusterFlags(parseRequest(argv));
    assert.equal(flags("up"), "");
    assert.equal(flags("up", "--cluster", "kind"), " --cluster kind");
    assert.equal(
      flags("up", "--cluster", "kubeconfig", "--kubeconfig", "/a/b.conf", "--context", "c"),
      " --cluster kubeconfig --kubeconfig /a/b.conf --context c",
    );
    assert.deepEqual(
      parseRequest(["status", ...flags("up", "--cluster", "kubeconfig", "--kubeconfig", "/a/b.conf").trim().split(" ")])
        .kubeconfig,
      "/a/b.conf",
    );
  });
  it("starts the lab without any", () => {
    const r = request("");
    assert.deepEqual([r.command, r.cluster, r.words, r.sets], ["up", "lab", [], []]);
  });
  it("takes options in either form, before and after words", () => {
    const r = request("--since=5m logs synapse --follow");
    assert.deepEqual([r.command, r.words, r.since, r.follow], ["logs", ["synapse"], "5m", true]);
    assert.deepEqual(request("deploy --set ccu=200 --set rtc.enabled=false").sets, ["ccu=200", "rtc.enabled=false"]);
    assert.deepEqual(parseRequest(["up", "--set=web={admin: {allowCidrs: [10.0.0.0/8]}}"]).sets, [
      "web={admin: {allowCidrs: [10.0.0.0/8]}}",
    ]);
  });
  it("leaves the words after a shell's target to the command there", () => {
    assert.deepEqual(request("shell redis-synapse-0 redis-cli --help -h").words, [
      "redis-synapse-0",
      "redis-cli",
      "--help",
      "-h",
    ]);
    assert.deepEqual(request("shell node1 -- ls --all").words, ["node1", "ls", "--all"]);
    const r = request("shell --helper minio-0 ps aux");
    assert.deepEqual([r.helper, r.words], [true, ["minio-0", "ps", "aux"]]);
  });
  const wrong: Array<[string, RegExp]> = [
    ["frob", /"frob" is unknown; there are up, deploy, down, status, logs, shell, chaos/],
    ["--frob", /--frob is unknown/],
    ["up --cluster minikube", /there are lab, kind, kubeconfig/],
    ["up --cluster", /--cluster needs a value/],
    ["logs --since", /--since needs a value/],
    ["logs --since ten", /--since ten/],
    ["status now", /status takes no further words/],
    ["logs a b", /logs takes one word/],
    ["shell", /shell needs a pod/],
    ["status --follow", /--follow goes with logs/],
    ["down --set a=1", /--set goes with up and deploy/],
    ["up --kubeconfig f", /goes with --cluster kubeconfig/],
    ["up --cluster kind --context c", /goes with --cluster kubeconfig/],
    ["down --yes", /--yes goes with --cluster kind and --cluster kubeconfig/],
    ["up --cluster kind --images mine", /there are published, local/],
  ];
  for (const [text, message] of wrong) it(`refuses "${text}"`, () => assert.throws(() => request(text), message));
  it("explains every command and option", () => {
    for (const c of COMMANDS) assert.match(USAGE, new RegExp(`^  ${c}\\b`, "m"));
    for (const o of [
      "--set",
      "--expect-no-changes",
      "--cluster",
      "--kubeconfig",
      "--context",
      "--images",
      "--registry",
      "--addresses",
      "--since",
      "--follow",
      "--helper",
      "--dry-run",
      "--yes",
    ])
      assert.ok(USAGE.includes(o), o);
  });
});

describe("npm run images: arguments", () => {
  it("lists without any", () => assert.equal(parseImagesArgs([]).command, "list"));
  it("takes a registry and names", () => {
    const r = parseImagesArgs(["push", "registry.example.com:5000/matrix", "synapse", "--insecure", "--user", "me"]);
    assert.deepEqual([r.words, r.insecure, r.user], [["registry.example.com:5000/matrix", "synapse"], true, "me"]);
  });
  const wrong: Array<[string, RegExp]> = [
    ["frob", /there are list, build, push/],
    ["list synapse", /list takes no names/],
    ["push", /push needs a registry/],
    ["push https://r.example.com/x", /without https/],
    ["push synapse", /not a registry/],
    ["build --insecure", /--insecure goes with push/],
    ["list --frob", /frob/],
  ];
  for (const [text, message] of wrong)
    it(`refuses "${text}"`, () => assert.throws(() => parseImagesArgs(text.split(" ")), message));
  for (const good of ["localhost/x", "localhost:5000", "registry.example.com/a/b-c", "10.0.0.1:5000/x/"])
    it(`takes ${good}`, () => assert.equal(prefixProblem(good), undefined));
});
