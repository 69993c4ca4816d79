/**
 * A fixed piece of work, so that CPU seconds of this machine can be told in those of another: SHA-256 and JSON, as the
 * homeserver does them, in Node and in the Python that runs Synapse.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { rootfsOf } from "../real/programs";
import { median } from "./statistics";

/** CPU seconds of one round. */
export interface Calibration {
  node: number;
  python: number;
}

const ROUNDS = 5,
  TIMES = 20_000;
const EVENT = {
  type: "m.room.message",
  sender: "@somebody:example.org",
  content: { msgtype: "m.text", body: "a few words, as people write them" },
  prev_events: ["$0000000000000000000000000000000000000000000"],
};

/** CPU seconds of one round in Node. */
function node(): number {
  const from = process.cpuUsage();
  for (let i = 0; i < TIMES; i += 1) {
    const text = JSON.stringify({ ...EVENT, depth: i });
    createHash("sha256").update(text).digest("base64");
    JSON.parse(text);
  }
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

const PYTHON = `
import hashlib, json, time
event = json.loads('''${JSON.stringify(EVENT)}''')
for _ in range(${ROUNDS}):
    start = time.process_time()
    for i in range(${TIMES}):
        text = json.dumps({**event, "depth": i})
        hashlib.sha256(text.encode()).digest()
        json.loads(text)
    print(time.process_time() - start)
`;

function python(): number {
  const out = execFileSync("chroot", [rootfsOf("synapse"), "/opt/synapse/bin/python", "-c", PYTHON], {
    encoding: "utf8",
  });
  return median(out.trim().split("\n").map(Number));
}

/** The median of some rounds: a busy machine makes some of them dearer. */
export const calibrateNode = (): number => median(Array.from({ length: ROUNDS }, node));

export const calibrate = (): Calibration => ({
  node: calibrateNode(),
  python: python(),
});
