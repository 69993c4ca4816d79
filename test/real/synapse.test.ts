/** Synapse reads the configuration of each of its processes, at every size and with every option, as in the pod. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CONFIGURATIONS, SIZE_CONFIGURATIONS, subjectFor } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { requireNamespaces } from "../../lab/real/network";
import { readAll, runCheckJob, silentProblems, synapseTemplates } from "../../lab/real/synapse";
import { stopReader } from "../../lab/real/synapseReader";

describe("Synapse", () => {
  before(requireNamespaces);
  after(stopReader);
  for (const c of CONFIGURATIONS) {
    it(`${c.name}: every process reads its files, none is left without work that is its own`, async () => {
      const subject = await subjectFor(c);
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), "synapse-"));
      fs.chmodSync(dir, 0o755);
      try {
        const [processes, job] = await Promise.all([
          readAll(path.join(dir), synapseTemplates(subject), subject.objects),
          runCheckJob(path.join(dir, "job"), subject, subject.objects, SIZE_CONFIGURATIONS.includes(c)),
        ]);
        assert.deepEqual(silentProblems(processes), []);
        assert.equal(job.status, 0, job.text);
        count("Synapse processes", processes.length);
        count("runs of the check before deployment");
      } finally {
        fs.rmSync(dir, { recursive: true, force: true });
      }
    });
  }
});
