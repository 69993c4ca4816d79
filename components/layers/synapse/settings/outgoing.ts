/** Which networks the homeserver connects to at the request of users and of other servers. Pure. */
import { cidr, list, section } from "../../../schema/fields";

export const outgoingSettings = {
  outgoing: section(
    {
      allowedNetworks: list(cidr({ doc: "A network." }), {
        doc: "Private networks in which other homeservers and push gateways may be. By default, private and reserved networks are never connected to for them: whoever names an address there could reach what was not made for strangers.",
      }).default([]),
      blockedNetworks: list(cidr({ doc: "A network." }), {
        doc: "Further networks that are not connected to for other homeservers and push gateways.",
      }).default([]),
      previewAllowedNetworks: list(cidr({ doc: "A network." }), {
        doc: "Private networks whose pages may be previewed, with `media.urlPreviews`: every user then reads there what needs no login.",
      }).default([]),
      previewBlockedNetworks: list(cidr({ doc: "A network." }), {
        doc: "Further networks whose pages are not previewed.",
      }).default([]),
    },
    { doc: "Networks that the homeserver connects to because a user or another server names an address there." },
  ).prefault({}),
};
