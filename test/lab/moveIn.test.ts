/** The rehearsal of moving in: it runs what the document says. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { Book } from "../../lab/move-in/book";
import { renderRehearsals } from "../../lab/move-in/report";

const SAMPLE = `# Title

## 1. First

| by | command |
|---|---|
| pip | \`npm run one\` |

\`\`\`sh
a
b
\`\`\`

## 2. Second

1. In a list:

   \`\`\`sh
   c
     d
   \`\`\`

### Inside

\`\`\`sh
e
\`\`\`
`;

describe("The rehearsal of moving in", () => {
  it("reads the commands of each section, those of a list without their indent", () => {
    const book = new Book(SAMPLE);
    assert.deepEqual(book.blocks("1. First"), ["a\nb\n"]);
    assert.deepEqual(book.blocks("2. Second"), ["c\n  d\n"]);
    assert.deepEqual(book.blocks("Inside"), ["e\n"]);
    assert.equal(book.row("1. First", "pip"), "npm run one");
  });

  it("refuses a section or a row that is not there", () => {
    const book = new Book(SAMPLE);
    assert.throws(() => book.blocks("3. Third"), /0 sections are called "3\. Third"/);
    assert.throws(() => book.row("1. First", "apt"), /has no command for apt/);
  });

  it("finds in docs/move-in.md what it runs", () => {
    const book = new Book(fs.readFileSync(path.join(__dirname, "../../docs/move-in.md"), "utf8"));
    const first = (heading: string): string[] => book.blocks(heading).map((block) => block.split("\n")[0]!);
    assert.match(book.row("1. Inventory", "Debian's package, pip"), /^npm run import -- --homeserver old\//);
    assert.match(book.row("1. Inventory", "with workers"), /^--workers old\//);
    assert.deepEqual(first("2. Decide, and set the secrets"), ["pulumi stack init NAME"]);
    assert.deepEqual(first("3. Deploy beside it"), [
      "pulumi config set --stack NAME --path 'matrix-ha:overrides.postgres.storageGiB' 200",
      "pulumi config set --stack NAME stopSynapse true",
    ]);
    assert.equal(first("4. Copy the media").length, 2);
    assert.equal(first("5. Look at the copy").length, 1);
    assert.deepEqual(first("7. The evening: the last copy"), ["kubectl -n matrix delete cluster synapse-postgres"]);
    assert.deepEqual(first("8. The switch"), ["pulumi config rm --stack NAME stopSynapse"]);
    assert.deepEqual(first("The way back"), ["pulumi config set --stack NAME stopSynapse true"]);
  });

  it("writes down what was kept, and how long it took", () => {
    const page = renderRehearsals([
      {
        date: "today",
        workers: false,
        versions: "Synapse 1",
        checks: ["rows"],
        times: [["a", 3]],
        downtime: 90,
        wayBack: 40,
      },
    ]);
    for (const part of ["## A single process", "**Downtime: 90 s**", "**The way back: 40 s**", "- rows", "| a | 3 |"])
      assert.ok(page.includes(part), part);
  });
});
