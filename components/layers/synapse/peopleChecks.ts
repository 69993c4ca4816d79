/** Checks of what the settings say about rooms, networks and e-mail. Pure. */
import { contains, overlaps, parseCidr } from "../../core/addresses";
import type { CheckInput } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { hostNetworks } from "../../domain/ownNetworks";
import { smtpTls } from "./settings/email";

export function checkPeople(given: CheckInput): void {
  checkRooms(given);
  checkAutoJoin(given);
  checkOutgoing(given);
  checkMail(given);
  checkRetention(given);
  checkCaptcha(given);
}

function checkRooms({ settings, report }: CheckInput): void {
  const { rooms, federation } = settings;
  if (!federation.enabled) {
    if (rooms.listOverFederation)
      report.add({
        path: "rooms.listOverFederation",
        given: "true, while federation.enabled is false",
        allowed: "true only where federation is on",
        remedy: "set federation.enabled: true, or remove rooms.listOverFederation",
      });
    if (rooms.limitRemote)
      report.add({
        path: "rooms.limitRemote",
        given: "a limit, while federation.enabled is false",
        allowed: "a limit only where federation is on: there are no rooms of other servers",
        remedy: "set federation.enabled: true, or remove rooms.limitRemote",
      });
  }
}

function checkAutoJoin({ settings, report }: CheckInput): void {
  const { rooms, federation, serverName, terms } = settings;
  const { autoJoin } = rooms;
  if (!autoJoin) return;
  autoJoin.aliases.forEach((alias, i) => {
    if (federation.enabled || alias.slice(alias.indexOf(":") + 1) === serverName) return;
    report.add(
      {
        path: `rooms.autoJoin.aliases[${i}]`,
        given: `"${alias}", while federation.enabled is false`,
        allowed: `aliases of this server: ...:${serverName}`,
        remedy: `write ${alias.slice(0, alias.indexOf(":"))}:${serverName}, or set federation.enabled: true`,
      },
      ["serverName", "domain"],
    );
  });
  // Synapse makes them at the registration of its first user; with terms it waits for that user's consent, and by then
  // there are others (handlers/register.py, _auto_join_rooms; seen in test/real/community.test.ts).
  if (autoJoin.create && terms?.atRegistration)
    report.add(
      {
        path: "rooms.autoJoin.create",
        given: "true (the default), with terms that users accept at registration",
        allowed: "false: Synapse would make the rooms only if its very first user accepts the terms as the only one",
        remedy: "make the rooms yourself, and set rooms.autoJoin.create: false",
      },
      ["terms"],
    );
  if (autoJoin.preset !== "public_chat" && autoJoin.inviter === undefined)
    report.add(
      {
        path: "rooms.autoJoin.inviter",
        given: `nothing, with preset: ${autoJoin.preset}`,
        allowed: "the name of an account: to a room that is not public, users are invited",
        remedy: "add rooms.autoJoin.inviter, or use preset: public_chat",
      },
      ["rooms.autoJoin.preset"],
    );
}

/** The address of what answers there belongs to the host: such as a cloud's metadata service. */
const LINK_LOCAL = ["169.254.0.0/16", "fe80::/10"];

/** What is allowed must be what the network policies let through, and nothing of the cluster's inside. */
function checkOutgoing({ settings, report }: CheckInput): void {
  const { outgoing, cluster, media, networkPolicies } = settings;
  for (const key of ["previewAllowedNetworks", "previewBlockedNetworks"] as const)
    if (outgoing[key].length > 0 && !media.urlPreviews)
      report.add({
        path: `outgoing.${key}`,
        given: `${outgoing[key].length} networks, while media.urlPreviews is false`,
        allowed: "networks only where pages are previewed",
        remedy: `set media.urlPreviews: true, or remove outgoing.${key}`,
      });
  const inside = [...cluster.podCidrs, ...cluster.serviceCidrs, ...LINK_LOCAL];
  const hosts = hostNetworks(settings);
  for (const key of ["allowedNetworks", "previewAllowedNetworks"] as const)
    outgoing[key].forEach((network, i) => {
      const interval = parseCidr(network);
      if (!interval) return;
      const path = `outgoing.${key}[${i}]`;
      const own = inside.find((other) => overlaps(interval, parseCidr(other)!));
      if (own !== undefined)
        report.add(
          {
            path,
            given: `"${network}", which shares addresses with ${own}`,
            allowed: "networks outside the cluster: pods, Services and link-local addresses are never connected to",
            remedy: "list the networks of the other servers themselves",
          },
          ["cluster.podCidrs", "cluster.serviceCidrs", "cluster.distribution"],
        );
      const host = hosts.find((h) =>
        networkPolicies.enabled ? contains(parseCidr(h)!, interval) : overlaps(interval, parseCidr(h)!),
      );
      if (own === undefined && host !== undefined)
        report.add(
          {
            path,
            given: `"${network}", ${networkPolicies.enabled ? "a host of this stack" : `with the host ${host.replace(/\/\d+$/, "")} of this stack, and without network policies`}`,
            allowed: networkPolicies.enabled
              ? "other machines: the network policies let no pod of Synapse reach the stack's own hosts"
              : "networks without the stack's own hosts: nothing else keeps strangers from what listens there",
            remedy: networkPolicies.enabled
              ? `remove outgoing.${key}[${i}]`
              : "name the other machines, or set networkPolicies.enabled: true",
          },
          ["hosts", "networkPolicies"],
        );
    });
}

function checkMail({ settings, report }: CheckInput): void {
  const { emailSmtp } = settings;
  if (!emailSmtp) return;
  const { port, tls, tlsName } = emailSmtp;
  if (port === 465 && tls !== undefined && tls !== "implicit")
    report.add(
      {
        path: "emailSmtp.tls",
        given: `${tls}, at port 465`,
        allowed: "implicit at that port: it is TLS from the first byte",
        remedy: "remove emailSmtp.tls, or give the port that speaks SMTP in clear: 587 or 25",
      },
      ["emailSmtp.port"],
    );
  if (tlsName !== undefined && smtpTls(emailSmtp) === "off")
    report.add(
      {
        path: "emailSmtp.tlsName",
        given: "a name, with tls: off",
        allowed: "a name only where there is a certificate to check",
        remedy: "remove emailSmtp.tlsName, or emailSmtp.tls",
      },
      ["emailSmtp.tls"],
    );
}

/** The longest that messages are kept, and the setting that says so; undefined where nothing bounds it. */
export function longestRetention(r: NonNullable<Settings["retention"]>): { days: number; path: string } | undefined {
  if (r.roomMaxDays !== undefined) return { days: r.roomMaxDays, path: "retention.roomMaxDays" };
  return r.maxLifetimeDays === undefined ? undefined : { days: r.maxLifetimeDays, path: "retention.maxLifetimeDays" };
}

function checkRetention({ settings, report }: CheckInput): void {
  const { retention } = settings;
  if (!retention) return;
  const { maxLifetimeDays, roomMinDays, roomMaxDays } = retention;
  const longest = longestRetention(retention);
  if (longest === undefined && roomMinDays === undefined)
    report.add({
      path: "retention",
      given: "no number of days",
      allowed: "maxLifetimeDays for all rooms, or bounds for what rooms choose (roomMinDays, roomMaxDays)",
      remedy: "give one of them, or remove the section to keep messages for ever",
    });
  if (roomMaxDays !== undefined && maxLifetimeDays !== undefined && roomMaxDays < maxLifetimeDays)
    report.add(
      {
        path: "retention.roomMaxDays",
        given: `${roomMaxDays}, less than retention.maxLifetimeDays (${maxLifetimeDays})`,
        allowed: `at least ${maxLifetimeDays}: Synapse holds rooms that choose nothing to it as well`,
        remedy: "raise it, or lower retention.maxLifetimeDays",
      },
      ["retention.maxLifetimeDays"],
    );
  else if (longest !== undefined && roomMinDays !== undefined && roomMinDays > longest.days)
    report.add(
      {
        path: "retention.roomMinDays",
        given: `${roomMinDays}, more than ${longest.path} (${longest.days})`,
        allowed: `at most ${longest.days}`,
        remedy: `lower it, or raise ${longest.path}`,
      },
      [longest.path],
    );
}

function checkCaptcha({ settings: { registration }, report }: CheckInput): void {
  if (!registration.captcha || registration.enabled) return;
  report.add({
    path: "registration.captcha",
    given: "keys, while registration.enabled is false",
    allowed: "keys only where people register themselves",
    remedy: "set registration.enabled: true, or remove registration.captcha",
  });
}
