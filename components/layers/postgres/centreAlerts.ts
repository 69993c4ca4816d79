/** Alert rules of the database among data centres. Pure. */
import { countOrZero, type AlertRule, type RuleGroup } from "../../core/monitoring";
import { SERVICES } from "../../core/names";
import { isStandby, otherCentres, type DataCentre } from "../../domain/dataCentre";
import { followerName } from "./topology";

const L = 'layer="postgres"';
const status = `kubectl cnpg status ${SERVICES.postgresCluster} -n matrix`;
/** Seconds that the others may be behind: what is lost when the primary is, and noticed before that. */
const BEHIND_SECONDS = 60;
/**
 * The same in a standby, as its own instances see it. Without the stream a standby gets the log by the archive, in
 * files that an idle server closes every five minutes (archive_timeout).
 */
const STANDBY_BEHIND_SECONDS = 600;

/** In PromQL, the streams of this data centre's own standbys: those of others have names of their own. */
export const ownStreams = (dataCentre: DataCentre | undefined): string =>
  dataCentre && !isStandby({ dataCentre })
    ? countOrZero(`cnpg_pg_stat_replication_sent_diff_bytes{${L}, application_name!~"${followerName(".*")}"}`)
    : `max(cnpg_pg_replication_streaming_replicas{${L}})`;

/** In the primary. @param others Names of the other data centres */
export const primaryRules = (others: readonly string[]): AlertRule[] => [
  {
    alert: "DataCentreNotFollowing",
    severity: "warning",
    for: "5m",
    expr: others.map(notFollowing).join(" or "),
    summary: "The database of data centre {{ $labels.data_centre }} does not follow",
    meaning:
      "No connection of its database is open. It may still get the log from the archive, five minutes late; what it does not get is lost with this data centre.",
    look: ["npm run dr -- status", `In that data centre: ${status}, and the log of its primary instance`],
    act: [
      "See that its hosts reach the address of `dataCentre.peers[].stream`, from the networks that stand in `from`.",
      'If it says that the log it needs is gone, its database is made anew: docs/fail-over.md, "Return".',
    ],
  },
  {
    alert: "DataCentreBehind",
    severity: "warning",
    for: "5m",
    expr: `max by (application_name) (cnpg_pg_stat_replication_flush_lag_seconds{${L}, application_name=~"${followerName(".*")}"}) > ${BEHIND_SECONDS}`,
    summary: "{{ $labels.application_name }} is {{ $value | humanizeDuration }} behind",
    meaning:
      "Another data centre has not written to its disk what was acknowledged here. If this one were lost now, it would be lost too.",
    look: ["npm run dr -- status", "The bandwidth between the data centres; disks of the other one"],
    act: ["Look for a bulk change here (purge, background update), and let it finish; else for what slows the line."],
  },
];

/** In a standby. */
export const standbyRules = (): AlertRule[] => [
  {
    alert: "StandbyDatabaseWrites",
    severity: "critical",
    for: "30s",
    expr: `count(cnpg_pg_replication_in_recovery{${L}} == 0) > 0`,
    summary: "The database of this standby is written to",
    meaning:
      "Its stack says that another data centre is the primary, and an instance here is out of recovery. Two databases that are written to part for ever. It is expected for moments while a planned move is under way.",
    look: ["npm run dr -- status", status],
    act: [
      "Find out which of the two serves clients: DNS, and the last row of `matrix_ha.centre` in each database.",
      "Fence the other one (docs/fail-over.md), and make its database anew.",
    ],
  },
  {
    alert: "StandbyNotStreaming",
    severity: "warning",
    for: "10m",
    expr: `min by (pod) (cnpg_pg_replication_is_wal_receiver_up{${L}}) < 1`,
    summary: "{{ $labels.pod }} receives no stream",
    meaning:
      "Of the instance that follows the primary: the log comes by the archive, late. Of another one: it does not follow that instance.",
    look: ["npm run dr -- status", status, "kubectl logs -n matrix <pod> -c postgres"],
    act: [
      "See that the primary's address answers from here, and that `replicationPassword` is the same in both stacks.",
    ],
  },
  {
    alert: "StandbyBehind",
    severity: "critical",
    for: "5m",
    expr: `min(cnpg_pg_replication_lag{${L}}) > ${STANDBY_BEHIND_SECONDS}`,
    summary: "The database of this standby is {{ $value | humanizeDuration }} behind",
    meaning: "Neither the stream nor the archive of the primary arrives in time: so much would be lost in a move now.",
    look: ["npm run dr -- status", "kubectl logs -n matrix <pod> -c plugin-barman-cloud"],
    act: [
      "See that the primary archives (PostgresWalArchivingFailing there), and that the key of its archive may read here.",
    ],
  },
];

const notFollowing = (name: string): string =>
  `label_replace(${countOrZero(`cnpg_pg_stat_replication_sent_diff_bytes{${L}, application_name="${followerName(name)}"}`)} < 1, "data_centre", "${name}", "", "")`;

const group = (rules: AlertRule[]): RuleGroup => ({ name: "data-centres", title: "Data centres", rules });

/** Of both roles, for the runbook. */
export const everyCentreRule = (): RuleGroup => group([...primaryRules(["dc2"]), ...standbyRules()]);

export function centreAlerts(dataCentre: DataCentre | undefined): RuleGroup[] {
  if (!dataCentre) return [];
  return [
    group(
      isStandby({ dataCentre })
        ? standbyRules()
        : primaryRules(otherCentres({ dataCentre }).map((centre) => centre.name)),
    ),
  ];
}
