/** Checks of the networks with access to the admin UI. */
import type { CheckInput } from "../../core/layer";
import { isWholeInternet } from "../../core/addresses";

export function checkAdmin({ input, settings, report }: CheckInput): void {
  const { admin } = settings.web;
  if (!admin.enabled) return;
  if (admin.allowCidrs.length === 0) {
    report.add({
      path: "web.admin.allowCidrs",
      given: "an empty list",
      allowed: "at least one network",
      remedy: "list the networks of the administrators, or set web.admin.enabled: false",
    });
  }
  admin.allowCidrs.forEach((text, i) => {
    if (!isWholeInternet(text) || input.web.admin.allowPublic) return;
    report.add({
      path: `web.admin.allowCidrs[${i}]`,
      given: text,
      allowed: "the administrators' networks, not the whole Internet: the admin UI can read and delete every account",
      remedy: "list office or VPN networks, or set web.admin.allowPublic: true if the UI must be public",
    });
  });
}
