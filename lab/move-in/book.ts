/** docs/move-in.md as the rehearsal reads it: the commands of each of its sections. Pure. */

export class Book {
  constructor(private readonly text: string) {}

  private section(heading: string): string {
    const parts = this.text
      .split(/^(?=##+ )/m)
      .filter((part) => part.slice(0, part.indexOf("\n")).endsWith(` ${heading}`));
    if (parts.length !== 1) throw new Error(`${parts.length} sections are called "${heading}"`);
    return parts[0]!;
  }

  /** Its blocks of shell commands, in their order; those of list items without their indent. */
  blocks(heading: string): string[] {
    return [...this.section(heading).matchAll(/^( *)```sh\n([^]*?)^ *```$/gm)].map(([, indent, block]) =>
      block!.replace(new RegExp(`^${indent}`, "gm"), ""),
    );
  }

  /** The command in the row of a table that begins with these words. */
  row(heading: string, first: string): string {
    const line = this.section(heading)
      .split("\n")
      .find((l) => l.startsWith(`| ${first} |`));
    const command = /`([^`]+)`/.exec(line ?? "")?.[1];
    if (command === undefined) throw new Error(`"${heading}" has no command for ${first}`);
    return command;
  }
}
