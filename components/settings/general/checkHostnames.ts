/** Checks that the public host names differ: requests are told apart by nothing else. */
import type { CheckInput } from "../../core/layer";

export function checkHostnames({ settings, report }: CheckInput): void {
  const names = Object.entries(settings.hostnames);
  names.forEach(([key, name], i) => {
    const first = names.slice(0, i).find(([, other]) => other === name);
    if (first)
      report.add(
        {
          path: `hostnames.${key}`,
          given: `"${name}", the same as hostnames.${first[0]}`,
          allowed: "a different name for each: requests are told apart by name only",
          remedy: `choose another, for example ${key}.${settings.domain}`,
        },
        [`hostnames.${first[0]}`, "domain"],
      );
  });
}
