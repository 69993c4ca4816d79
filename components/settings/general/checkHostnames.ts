/** Host names: told apart by name alone. */
import type { CheckInput } from "../../core/layer";

export function checkHostnames({ settings, report }: CheckInput): void {
  const names = Object.entries(settings.hostnames);
  names.forEach(([key, name], i) => {
    const first = names.slice(0, i).find(([, other]) => other === name);
    if (first)
      report.add(
        {
          path: `hostnames.${key}`,
          given: `"${name}", as hostnames.${first[0]} is`,
          allowed: "a name of its own for each: they are told apart by name alone",
          remedy: `choose another, such as ${key}.${settings.domain}`,
        },
        [`hostnames.${first[0]}`, "domain"],
      );
  });
}
