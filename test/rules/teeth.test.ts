/** A rule that cannot fail proves nothing: each is broken once on purpose here. */
import assert from "node:assert/strict";
import { RULES, subjectOf, violations, type Subject } from "../../policy";
import { evaluated, tier } from "../../lab/common/tiers";

type Objects = any[];
const find = (objects: Objects, kind: string, name: string | RegExp): any => {
  const o = objects.find(
    (r) =>
      r.inputs?.kind === kind &&
      (typeof name === "string" ? r.inputs.metadata.name === name : name.test(r.inputs.metadata.name)),
  );
  assert.ok(o, `${kind} ${name} is there to be broken`);
  return o.inputs;
};

const container = (objects: Objects, kind: string, name: string): any =>
  find(objects, kind, name).spec.template.spec.containers[0];
const password = (objects: Objects): string => {
  const value = find(objects, "Secret", "redis-synapse").stringData.password;
  assert.ok(value, "there is a password to leak");
  return value;
};

/** What is done to the manifests, and which rule has to notice. */
const BREAKS: Array<{ rule: string; breaks: string; how: (objects: Objects) => void }> = [
  {
    rule: "1",
    breaks: "a name of 70 characters",
    how: (o) => {
      find(o, "ConfigMap", /./).metadata.name = "x".repeat(70);
    },
  },
  {
    rule: "3",
    breaks: "a missing label",
    how: (o) => {
      delete find(o, "Deployment", "haproxy").metadata.labels["app.kubernetes.io/version"];
    },
  },
  {
    rule: "3",
    breaks: "a selector with a version",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.selector.matchLabels["app.kubernetes.io/version"] = "1";
    },
  },
  {
    rule: "4",
    breaks: "a configuration without a hash",
    how: (o) => {
      find(o, "StatefulSet", "redis-synapse").spec.template.metadata.annotations = {};
    },
  },
  {
    rule: "5",
    breaks: "a Service without pods",
    how: (o) => {
      find(o, "Service", "haproxy").spec.selector = { nobody: "here" };
    },
  },
  {
    rule: "5",
    breaks: "a target port that the pods do not declare",
    how: (o) => {
      find(o, "Service", "haproxy").spec.ports[0].targetPort = "nothing";
    },
  },
  {
    rule: "5",
    breaks: "an unnamed Service port",
    how: (o) => {
      delete find(o, "Service", "haproxy").spec.ports[0].name;
    },
  },
  {
    rule: "5",
    breaks: "a load balancer with a port on every node",
    how: (o) => {
      delete find(o, "Service", "nginx-ingress").spec.allocateLoadBalancerNodePorts;
    },
  },
  {
    rule: "5",
    breaks: "a port on every node",
    how: (o) => {
      find(o, "Service", "element-web").spec.type = "NodePort";
      find(o, "Service", "element-web").spec.externalTrafficPolicy = "Local";
    },
  },
  {
    rule: "6",
    breaks: "a short DNS name",
    how: (o) => {
      const c = find(o, "ConfigMap", /haproxy/);
      const k = Object.keys(c.data)[0]!;
      c.data[k] += "\n# minio-api.minio.svc\n";
    },
  },
  {
    rule: "6",
    breaks: "a Service that is not there",
    how: (o) => {
      const c = find(o, "ConfigMap", /haproxy/);
      const k = Object.keys(c.data)[0]!;
      c.data[k] += "\n# nobody.matrix.svc.cluster.local\n";
    },
  },
  {
    rule: "7",
    breaks: "a StatefulSet without its Service",
    how: (o) => {
      find(o, "StatefulSet", "synapse-main").spec.serviceName = "nobody";
    },
  },
  {
    rule: "8",
    breaks: "two ports of one name",
    how: (o) => {
      const p = find(o, "StatefulSet", "synapse-main").spec.template.spec.containers[0].ports;
      p.push({ ...p[0], containerPort: 1 });
    },
  },
  {
    rule: "9",
    breaks: "no readiness probe",
    how: (o) => {
      delete find(o, "StatefulSet", "synapse-main").spec.template.spec.containers[0].readinessProbe;
    },
  },
  {
    rule: "9b",
    breaks: "a liveness probe that asks the database",
    how: (o) => {
      container(o, "Deployment", "haproxy").livenessProbe = {
        exec: { command: ["pg_isready", "-h", "synapse-postgres-rw.matrix.svc.cluster.local"] },
      };
    },
  },
  {
    rule: "10",
    breaks: "a low uid",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.securityContext.runAsUser = 99;
    },
  },
  {
    rule: "10",
    breaks: "an added capability",
    how: (o) => {
      container(o, "Deployment", "haproxy").securityContext.capabilities.add = ["SYS_ADMIN"];
    },
  },
  {
    rule: "10",
    breaks: "the host's network",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.hostNetwork = true;
    },
  },
  {
    rule: "10",
    breaks: "a writable root",
    how: (o) => {
      find(o, "StatefulSet", "synapse-main").spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem =
        false;
    },
  },
  {
    rule: "10b",
    breaks: "a container that says less than the others",
    how: (o) => {
      delete container(o, "Deployment", "haproxy").securityContext.seccompProfile;
    },
  },
  {
    rule: "10b",
    breaks: "a container with a user of its own",
    how: (o) => {
      container(o, "Deployment", "cert-manager").securityContext.runAsUser = 0;
    },
  },
  {
    rule: "10b",
    breaks: "a pod whose group is another",
    how: (o) => {
      find(o, "StatefulSet", "synapse-main").spec.template.spec.securityContext.fsGroup = 2000;
    },
  },
  {
    rule: "10b",
    breaks: "a custom resource that says it otherwise",
    how: (o) => {
      find(o, "Prometheus", /./).spec.securityContext.runAsNonRoot = false;
    },
  },
  {
    rule: "10b",
    breaks: "a database with any system call",
    how: (o) => {
      find(o, "Cluster", "synapse-postgres").spec.seccompProfile = { type: "Unconfined" };
    },
  },
  {
    rule: "11",
    breaks: "no memory limit",
    how: (o) => {
      delete find(o, "StatefulSet", "synapse-main").spec.template.spec.containers[0].resources.limits;
    },
  },
  {
    rule: "11",
    breaks: "a CPU limit",
    how: (o) => {
      container(o, "StatefulSet", "synapse-main").resources.limits.cpu = "1";
    },
  },
  {
    rule: "11b",
    breaks: "a container that requests nothing of the node's disk",
    how: (o) => {
      delete container(o, "Deployment", "haproxy").resources.requests["ephemeral-storage"];
    },
  },
  {
    rule: "11b",
    breaks: "an operator's container without a limit of the node's disk",
    how: (o) => {
      delete container(o, "Deployment", "cnpg-controller-manager").resources.limits["ephemeral-storage"];
    },
  },
  {
    rule: "11b",
    breaks: "a volume that its pod is evicted for before it is full",
    how: (o) => {
      container(o, "StatefulSet", "synapse-media").resources.limits["ephemeral-storage"] = "15Gi";
    },
  },
  {
    rule: "11b",
    breaks: "a database that requests nothing of the node's disk",
    how: (o) => {
      delete find(o, "Cluster", "synapse-postgres").spec.resources.requests["ephemeral-storage"];
    },
  },
  {
    rule: "11-13",
    breaks: "a database without a memory limit",
    how: (o) => {
      delete find(o, "Cluster", "synapse-postgres").spec.resources.limits.memory;
    },
  },
  {
    rule: "11-13",
    breaks: "one database",
    how: (o) => {
      find(o, "Cluster", "synapse-postgres").spec.instances = 1;
    },
  },
  {
    rule: "12",
    breaks: "an autoscaler that may go down to one",
    how: (o) => {
      find(o, "HorizontalPodAutoscaler", /./).spec.minReplicas = 1;
    },
  },
  {
    rule: "12",
    breaks: "one router",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.replicas = 1;
    },
  },
  {
    rule: "13",
    breaks: "spread that is only preferred",
    how: (o) => {
      const d = find(o, "Deployment", "haproxy");
      d.spec.replicas = 2;
      for (const c of d.spec.template.spec.topologySpreadConstraints) c.whenUnsatisfiable = "ScheduleAnyway";
    },
  },
  {
    rule: "13",
    breaks: "no spread",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.topologySpreadConstraints = [];
    },
  },
  {
    rule: "13",
    breaks: "a budget that blocks",
    how: (o) => {
      find(o, "PodDisruptionBudget", "haproxy").spec.maxUnavailable = 0;
    },
  },
  {
    rule: "14",
    breaks: "a shared account",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.serviceAccountName = "synapse-main";
    },
  },
  {
    rule: "15",
    breaks: "a volume that is not registered",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.volumes.push({ name: "x", configMap: { name: "nobody" } });
    },
  },
  {
    rule: "15b",
    breaks: "a mounted file that is not read",
    how: (o) => {
      const pod = find(o, "Deployment", "haproxy").spec.template.spec;
      pod.volumes.push({ name: "idle", configMap: { name: find(o, "ConfigMap", /element/).metadata.name } });
      pod.containers[0].volumeMounts.push({ name: "idle", mountPath: "/nobody/reads/this" });
    },
  },
  {
    rule: "15b",
    breaks: "a file that is not mounted",
    how: (o) => {
      container(o, "Deployment", "haproxy").args = ["-f", "/conf/nowhere.cfg"];
    },
  },
  {
    rule: "16a",
    breaks: "JSON that does not parse",
    how: (o) => {
      find(o, "ConfigMap", /haproxy/).data["x.json"] = "{";
    },
  },
  {
    rule: "16a",
    breaks: "a blank value",
    how: (o) => {
      find(o, "ConfigMap", /haproxy/).data.empty = " ";
    },
  },
  {
    rule: "16",
    breaks: "a password in a ConfigMap",
    how: (o) => {
      find(o, "ConfigMap", /haproxy/).data.more = password(o);
    },
  },
  {
    rule: "16",
    breaks: "a password on a command line",
    how: (o) => {
      container(o, "Deployment", "haproxy").args = [`--password=${password(o)}`];
    },
  },
  {
    rule: "16",
    breaks: "a password in a variable's literal",
    how: (o) => {
      container(o, "Deployment", "haproxy").env = [{ name: "P", value: password(o) }];
    },
  },
  {
    rule: "16",
    breaks: "a password in an annotation",
    how: (o) => {
      find(o, "Deployment", "haproxy").metadata.annotations = { p: password(o) };
    },
  },
  {
    rule: "16",
    breaks: "a key in a ConfigMap that looks like a name",
    how: (o) => {
      find(o, "Secret", "synapse-media-s3").stringData.secretKey = "synapse-key-of-the-store";
      find(o, "ConfigMap", /haproxy/).data.more = "the synapse-key-of-the-store";
    },
  },
  {
    rule: "17",
    breaks: "an image of no version",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.containers[0].image = "haproxy:latest";
    },
  },
  {
    rule: "17",
    breaks: "an image that is not in the table",
    how: (o) => {
      find(o, "Cluster", "synapse-postgres").spec.imageName = "docker.io/library/postgres:18.6";
    },
  },
  {
    rule: "18",
    breaks: "a host without TLS",
    how: (o) => {
      find(o, "Ingress", /./).spec.tls = [];
    },
  },
  {
    rule: "18",
    breaks: "a public admin API",
    how: (o) => {
      const p = o.find((r) => r.inputs?.kind === "Ingress" && r.inputs.spec.rules[0].http)!.inputs.spec.rules[0].http
        .paths;
      p.push({ ...p[0], path: "/_synapse/admin" });
    },
  },
  {
    rule: "19",
    breaks: "a monitor of nothing",
    how: (o) => {
      find(o, "PodMonitor", "router").spec.selector = { matchLabels: { nobody: "here" } };
    },
  },
  {
    rule: "19",
    breaks: "a monitor of a port that no pod declares",
    how: (o) => {
      find(o, "PodMonitor", "router").spec.podMetricsEndpoints[0].portNumber = 1;
    },
  },
  {
    rule: "19",
    breaks: "two monitors of one port",
    how: (o) => {
      find(o, "PodMonitor", "router").spec.selector = find(o, "PodMonitor", "redis-synapse-proxy").spec.selector;
    },
  },
  {
    rule: "20",
    breaks: "a call without an edge",
    how: (o) => {
      find(o, "Deployment", "element-web").spec.template.spec.containers[0].env = [
        { name: "X", value: "redis-synapse-master.matrix.svc.cluster.local" },
      ];
    },
  },
  {
    rule: "20",
    breaks: "a namespace without default deny",
    how: (o) => {
      const i = o.findIndex(
        (r: any) =>
          r.inputs?.kind === "NetworkPolicy" &&
          r.inputs.metadata.namespace === "minio" &&
          Object.keys(r.inputs.spec.podSelector).length === 0,
      );
      o.splice(i, 1);
    },
  },
  {
    rule: "21",
    breaks: "claims that go with their set",
    how: (o) => {
      find(o, "StatefulSet", "minio").spec.persistentVolumeClaimRetentionPolicy = {
        whenDeleted: "Delete",
        whenScaled: "Retain",
      };
    },
  },
  {
    rule: "21",
    breaks: "an unprotected database",
    how: (o) => {
      o.find((r: any) => r.inputs?.kind === "Cluster").protect = false;
    },
  },
  {
    rule: "23",
    breaks: "a memory limit in another unit than Kubernetes'",
    how: (o) => {
      container(o, "Deployment", "haproxy").resources.limits.memory = "1024Mi";
    },
  },
  {
    rule: "23",
    breaks: "cores in thousandths",
    how: (o) => {
      find(o, "Cluster", "synapse-postgres").spec.resources.requests.cpu = "6000m";
    },
  },
  {
    rule: "23",
    breaks: "cores as a number",
    how: (o) => {
      container(o, "Deployment", "haproxy").resources.requests.cpu = 1;
    },
  },
  {
    rule: "23",
    breaks: "a claim of 1024 GiB",
    how: (o) => {
      find(o, "StatefulSet", "minio").spec.volumeClaimTemplates[0].spec.resources.requests.storage = "1024Gi";
    },
  },
  {
    rule: "23",
    breaks: "a database of 1024 GiB",
    how: (o) => {
      find(o, "Cluster", "synapse-postgres").spec.storage.size = "1024Gi";
    },
  },
  {
    rule: "23",
    breaks: "a volume in memory of 1024 MiB",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.volumes.push({
        name: "x",
        emptyDir: { sizeLimit: "1024Mi" },
      });
    },
  },
  {
    rule: "23",
    breaks: "a pooler in other units",
    how: (o) => {
      find(o, "Pooler", /./).spec.template.spec.containers[0].resources.limits.memory = "0.5Gi";
    },
  },
  {
    rule: "23",
    breaks: "Prometheus' volume in other units",
    how: (o) => {
      find(o, "Prometheus", /./).spec.storage.volumeClaimTemplate.spec.resources.requests.storage = "30720Mi";
    },
  },
  {
    rule: "23",
    breaks: "a target of an autoscaler in other units",
    how: (o) => {
      find(o, "HorizontalPodAutoscaler", /./).spec.metrics.push({
        type: "Resource",
        resource: { name: "memory", target: { type: "AverageValue", averageValue: "1024Mi" } },
      });
    },
  },
  {
    rule: "24",
    breaks: "a mount that says that it is not read-only",
    how: (o) => {
      find(o, "StatefulSet", "synapse-main").spec.template.spec.initContainers[0].volumeMounts[0].readOnly = false;
    },
  },
  {
    rule: "24",
    breaks: "a delay of nothing",
    how: (o) => {
      container(o, "Deployment", "haproxy").livenessProbe.initialDelaySeconds = 0;
    },
  },
  {
    rule: "24",
    breaks: "a network that is not the host's",
    how: (o) => {
      find(o, "Deployment", "haproxy").spec.template.spec.hostNetwork = false;
    },
  },
  {
    rule: "24",
    breaks: "no annotations",
    how: (o) => {
      find(o, "Service", "haproxy").metadata.annotations = {};
    },
  },
  {
    rule: "24",
    breaks: "no options of a mount",
    how: (o) => {
      find(o, "StorageClass", /./).mountOptions = [];
    },
  },
  {
    rule: "24",
    breaks: "an empty text",
    how: (o) => {
      find(o, "PriorityClass", /./).description = "";
    },
  },
  {
    rule: "24",
    breaks: "egress of a policy that lists none",
    how: (o) => {
      find(o, "NetworkPolicy", /./).spec.egress = [];
    },
  },
  {
    rule: "22",
    breaks: "one object twice",
    how: (o) => {
      o.push({ ...o.find((r: any) => r.inputs?.kind === "ConfigMap"), urn: "urn:other" });
    },
  },
];

describe("each rule notices what it forbids", () => {
  async function broken(how: (objects: Objects) => void): Promise<Subject> {
    const { evaluation, settings, plan } = await evaluated(tier(1000).config);
    const copy = structuredClone(evaluation);
    how(copy.resources);
    return subjectOf(copy, settings, plan);
  }
  for (const b of BREAKS) {
    it(`${b.rule}: ${b.breaks}`, async () => {
      const rule = RULES.filter((r) => r.id === b.rule);
      assert.equal(rule.length, 1, `rule ${b.rule} exists once`);
      assert.deepEqual(
        violations((await evaluated(tier(1000).config)).subject, rule).found,
        [],
        "whole before it is broken",
      );
      assert.notDeepEqual(violations(await broken(b.how), rule).found, []);
    });
  }
  it("no rule is left untested", () => {
    const tested = new Set(BREAKS.map((b) => b.rule));
    assert.deepEqual(
      RULES.map((r) => r.id).filter((id) => !tested.has(id)),
      [],
    );
  });
});
