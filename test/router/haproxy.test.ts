/** The router's configuration. */
import assert from "node:assert/strict";
import { fixturePlan } from "../fixtures/plan";
import { cfg as rendered, plan } from "./rendered";

const cfg = (federation = false, p = plan): string => rendered({ federation, plan: p });

describe("haproxy.cfg", () => {
  it("defines every backend that it uses, once, and uses each", () => {
    const text = cfg(true);
    const defined = [...text.matchAll(/^backend (\S+)$/gm)].map((m) => m[1]!);
    const used = new Set(
      [...text.matchAll(/^ {2}(?:(?:use_backend|default_backend)|http-request track-sc\d \S+ table) (\S+)/gm)].map(
        (m) => m[1]!,
      ),
    );
    assert.deepEqual([...new Set(defined)].sort(), [...used].sort());
    assert.equal(new Set(defined).size, defined.length);
  });

  it("finds servers by the headless Services' SRV records, with room for autoscaling, a rollout, and those that are leaving", () => {
    const grown = fixturePlan();
    grown.synapse.pools.find((p) => p.class === "synchrotron")!.maxReplicas = 8;
    assert.match(
      cfg(false, grown),
      /server-template synchrotron 18 _http\._tcp\.synapse-synchrotron\.matrix\.svc\.cluster\.local resolvers changing-names maxconn \d+ hash-key addr/,
    );
    assert.match(
      cfg(),
      /server-template main 1 _http\._tcp\.synapse-main\.matrix\.svc\.cluster\.local resolvers stable-names /,
    );
  });

  it("forgets at once where a process was that keeps its name, and later where one of changing names was", () => {
    const held = (name: string): string =>
      new RegExp(`^resolvers ${name}\\n(?:  .*\\n)*?  hold obsolete (\\d+)s$`, "m").exec(cfg())![1]!;
    assert.deepEqual([held("stable-names"), held("changing-names")], ["0", "20"]);
  });

  it("never repeats a POST", () => {
    for (const frontend of cfg()
      .split(/^frontend /m)
      .filter((f) => /^(public|admin)/.test(f)))
      assert.match(frontend, /http-request disable-l7-retry if METH_POST/);
  });

  it("tells clients when to come back, in words that browsers may read", () => {
    assert.match(
      cfg(),
      /http-error status 503 content-type application\/json string '\{"errcode".*Access-Control-Allow-Origin "\*" hdr Retry-After 2/,
    );
  });

  it("refuses the admin API before it routes, on the public port alone", () => {
    const [pub, admin] = ["public", "admin"].map(
      (n) =>
        cfg()
          .split(new RegExp(`^frontend ${n}$`, "m"))[1]!
          .split(/^(?:frontend|backend) /m)[0]!,
    );
    assert.match(pub!, /acl refused path,url_dec -m reg \^\/\+_synapse\/\+admin/);
    assert.doesNotMatch(admin!, /acl refused path,url_dec -m reg \^\/\+_synapse\/\+admin/);
    assert.ok(pub!.indexOf("if refused") < pub!.indexOf("use_backend"));
    assert.doesNotMatch(pub!, /m_admin /);
  });

  it("steps to the fallback only when no process of the class is up", () => {
    assert.match(
      cfg(),
      /use_backend synchrotron-by-user if m_sync \{ nbsrv\(synchrotron-by-user\) gt 0 \}\n {2}use_backend generic-by-user if m_sync\n/,
    );
    assert.match(cfg(), /use_backend ephemeral if m_typing\n/);
  });

  it("believes the address that the ingress saw, not the client's", () => {
    assert.match(cfg(), /set-var\(txn\.client\) req\.hdr\(X-Forwarded-For,-1\)/);
    assert.match(cfg(), /set-header X-Forwarded-For %\[var\(txn\.client\)\]/);
  });
});
