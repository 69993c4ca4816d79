/**
 * The deployment's promises besides serving: no access to private parts, and Pod Security. A user's day is in
 * day.test.ts, browsers in web.test.ts.
 */
import assert from "node:assert/strict";
import { access, kubectl, request, type Access } from "../../lab/local/access";

describe("the local homeserver", function () {
  this.timeout(120_000);
  let a: Access;

  before(async () => {
    a = await access();
  });

  it("private parts are not reachable", async () => {
    for (const target of ["/_synapse/admin/v1/server_version", "/_synapse/metrics", "/_synapse/replication/x"]) {
      const { status } = await request(a, a.hostnames.homeserver!, target);
      assert.ok(status === 403 || status === 404, `${target}: ${status}`);
    }
  });

  it("pods run under Pod Security restricted, and none has restarted", async () => {
    const namespace = JSON.parse(kubectl("get", "namespace", "matrix", "-o", "json"));
    assert.equal(namespace.metadata.labels["pod-security.kubernetes.io/enforce"], "restricted");
    const pods = JSON.parse(kubectl("-n", "matrix", "get", "pods", "-o", "json")).items;
    const restarted = pods.flatMap((p: any) =>
      (p.status.containerStatuses ?? [])
        .filter((c: any) => c.restartCount > 0)
        .map((c: any) => `${p.metadata.name}/${c.name}: ${c.restartCount}`),
    );
    assert.deepEqual(restarted, []);
  });
});
