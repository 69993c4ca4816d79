/** Alerts about the machines. Pure. */
import type { PlanInput } from "../../core/layer";
import type { RuleGroup } from "../../core/monitoring";
import { DISTRIBUTION_FACTS } from "../../domain/distributions";
import type { Settings } from "../../settings/types";
import { knowsKubelets, watchesEtcd } from "./reserved";
import { ETCD_SNAPSHOTS } from "./steps/etcd";

const DISKS = 'fstype=~"ext4|xfs|btrfs"';

/** The kubelet's part, at least: the plan's gibibyte and share, less what is rounded and what is called gigabyte. */
const LEAST_RESERVED = 0.9 * 2 ** 30;

export const hostAlerts = ({ settings }: PlanInput): RuleGroup[] => [
  {
    name: "nodes",
    title: "Machines",
    rules: [
      {
        alert: "NodeNotReady",
        severity: "critical",
        for: "1m",
        expr: 'kube_node_status_condition{condition="Ready", status="true"} == 0',
        summary: "Node {{ $labels.node }} is not ready",
        meaning:
          "Its pods are replaced elsewhere: Synapse's at once where there may be only one, others after 30 s. Pods with data on its disks come back with it.",
        look: ["kubectl describe node <node>", "ssh <node> journalctl -u kubelet -n 200"],
        act: [
          "If the machine is off or cut off for good, nothing waits for you except its data: replace it (docs/operate.md). `npm run hosts -- fence <node>` removes what is left of its pods.",
          "If only the kubelet has failed: restart it.",
        ],
      },
      {
        alert: "NodeOutOfService",
        severity: "warning",
        for: "30m",
        expr: 'kube_node_spec_taint{key="node.kubernetes.io/out-of-service"} == 1',
        summary: "Node {{ $labels.node }} is still declared out of service",
        meaning: "It was fenced and has not returned, so every layer has one machine fewer.",
        look: ["kubectl describe node <node>"],
        act: ["Repair it and remove the taint, or remove the node from `hosts`."],
      },
      {
        alert: "NodeCordoned",
        severity: "info",
        for: "4h",
        expr: "kube_node_spec_unschedulable == 1",
        summary: "Node {{ $labels.node }} has been cordoned for hours",
        meaning: "It was drained or cordoned and has not been put back into service.",
        look: ["kubectl get nodes"],
        act: ["kubectl uncordon <node>"],
      },
      {
        alert: "DiskFilling",
        severity: "warning",
        for: "30m",
        expr: `predict_linear(node_filesystem_avail_bytes{${DISKS}}[6h], 4 * 86400) < 0 and node_filesystem_avail_bytes{${DISKS}} / node_filesystem_size_bytes{${DISKS}} < 0.4`,
        summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} will be full within four days at this rate",
        meaning: "Databases and object store keep their data on local disks.",
        look: ["du -x on the node", "PostgresWalVolumeFilling, MinioCapacityLow"],
        act: ["Find what grows; enlarge the volume or add a disk before it is full."],
      },
      {
        alert: "DiskAlmostFull",
        severity: "critical",
        for: "5m",
        expr: `node_filesystem_avail_bytes{${DISKS}} / node_filesystem_size_bytes{${DISKS}} < 0.1`,
        summary: "{{ $value | humanizePercentage }} of {{ $labels.mountpoint }} on {{ $labels.instance }} is free",
        meaning:
          "The kubelet evicts pods below its threshold, and a database without space stops: the operator then reports `Not enough disk space` and promotes no replica. Measured: it served again 13 s after space became free, and no acknowledged write was lost.",
        look: ["du -x on the node", "kubectl get cluster -n matrix"],
        act: [
          "Free space now: delete old container images (`crictl rmi --prune`), journals (`journalctl --vacuum-size=500M`).",
          "Do not delete anything on a database's volume by hand, least of all in `pg_wal`: enlarge the volume, or let the operator recreate that instance elsewhere (PostgresStandbyNotStreaming).",
        ],
      },
      {
        alert: "DiskReadOnly",
        severity: "critical",
        for: "1m",
        expr: `node_filesystem_readonly{${DISKS}} == 1`,
        summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} is read-only",
        meaning: "The kernel made it read-only after errors.",
        look: ["dmesg on the node"],
        act: ["Take the node out of service (drain, fence) and replace the disk."],
      },
      {
        alert: "NodeMemoryLow",
        severity: "critical",
        for: "5m",
        expr: "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.05",
        summary: "{{ $value | humanizePercentage }} of the memory of {{ $labels.instance }} is available",
        meaning: "The kernel will soon kill processes.",
        look: ["kubectl top pods -A --sort-by=memory"],
        act: ["Something uses more than its request: ContainerOutOfMemory names it. Move it or raise the request."],
      },
      {
        alert: "NodeClockWrong",
        severity: "critical",
        for: "5m",
        expr: "abs(node_timex_offset_seconds) > 0.25 or node_timex_sync_status == 0",
        summary: "The clock of {{ $labels.instance }} is off or not synchronised",
        meaning: "Sentinel, leases, tokens and event timestamps rely on it.",
        look: ["chronyc tracking on the node"],
        act: ["Check that NTP (UDP 123) is open and that the servers answer."],
      },
      ...(knowsKubelets(settings) ? [reservesTooLittle(settings)] : []),
      ...(etcdIsWatched(settings) ? [etcdNotSaved(settings)] : []),
    ],
  },
];

const reservesTooLittle = ({ cluster }: Settings): RuleGroup["rules"][number] => ({
  alert: "NodeReservesTooLittle",
  severity: "warning",
  for: "1h",
  expr: `kube_node_status_capacity{resource="memory"} - on (node) kube_node_status_allocatable{resource="memory"} < ${LEAST_RESERVED}`,
  summary: "The kubelet of {{ $labels.node }} keeps only {{ $value | humanize1024 }}B for the system",
  meaning:
    "The plan leaves 1 GiB and 5 % of each host to the kubelet, the container runtime, sshd and the kernel. This kubelet gives it to pods: when they use it, the kernel may kill any of those.",
  look: [
    "kubectl get node <node> -o jsonpath='{.status.capacity}{.status.allocatable}'",
    "the host's step 08-kubelet.sh",
  ],
  act: [
    DISTRIBUTION_FACTS[cluster.distribution].kubelet
      ? "If the step has said that the kubelet reserves only when it starts next: drain the node, restart its service, uncordon it. One node after the other."
      : "The kubelet's configuration is not this stack's.",
    `By hand: ${DISTRIBUTION_FACTS[cluster.distribution].reserveBy}.`,
  ],
});

/** Whether the node exporter, which reads the figure, is this stack's, and some host writes it. */
export const etcdIsWatched = (settings: Settings): boolean =>
  settings.monitoring.prometheus === "install" && settings.hosts.some((host) => watchesEtcd(settings, host));

const etcdNotSaved = ({ cluster }: Settings): RuleGroup["rules"][number] => {
  const { etcd, title } = DISTRIBUTION_FACTS[cluster.distribution];
  const own = etcd?.by === "host step";
  return {
    alert: "EtcdSnapshotOld",
    severity: "warning",
    for: "30m",
    expr: `time() - max(matrix_ha_etcd_snapshot_timestamp_seconds) > ${26 * 3600} or absent(matrix_ha_etcd_snapshot_timestamp_seconds)`,
    summary: "No control-plane host has saved etcd for more than a day",
    meaning:
      "etcd holds every object of the cluster. If all its members are lost without a snapshot, the cluster has to be installed anew, and `pulumi up` makes the objects again on volumes that are found by hand.",
    look: own
      ? ["journalctl -u matrix-ha-etcd on a control-plane host", `ls -l ${ETCD_SNAPSHOTS}`]
      : [`ls -l ${etcd?.dir}`, "journalctl -u k3s -u rke2-server | grep -i snapshot on a control-plane host"],
    act: [
      own
        ? "systemctl start matrix-ha-etcd on that host says what is wrong: no certificate (etcd runs elsewhere), no etcdctl and no crictl, or no room."
        : `${title} makes them itself: ${etcd?.settings}.`,
    ],
  };
};
