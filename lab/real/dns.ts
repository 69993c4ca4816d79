/**
 * The cluster's name service, reduced to what HAProxy, glibc and Go need: A, SRV with the addresses added, NXDOMAIN for
 * the rest.
 */
import * as dgram from "node:dgram";

export interface Srv {
  target: string;
  port: number;
  weight?: number;
}
const name = (n: string): Buffer =>
  Buffer.concat([
    ...n
      .split(".")
      .filter(Boolean)
      .map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])),
    Buffer.from([0]),
  ]);
const u16 = (...v: number[]): Buffer => {
  const b = Buffer.alloc(v.length * 2);
  v.forEach((x, i) => b.writeUInt16BE(x, i * 2));
  return b;
};
const address = (ip: string): Buffer => Buffer.from(ip.split(".").map(Number));
const record = (n: string, type: number, data: Buffer): Buffer =>
  Buffer.concat([name(n), u16(type, 1, 0, 5, data.length), data]);

export class NameServer {
  readonly a = new Map<string, string[]>();
  readonly srv = new Map<string, Srv[]>();
  private socket = dgram.createSocket("udp4");
  /** Names that were queried but do not exist: misspelt names show up here. */
  readonly unknown = new Set<string>();

  async listen(ip: string): Promise<void> {
    this.socket.on("message", (m, from) => {
      this.socket.send(this.answer(m), from.port, from.address);
    });
    await new Promise<void>((done) => {
      this.socket.bind(53, ip, done);
    });
  }
  close(): void {
    this.socket.close();
  }

  private answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    while (query[at]) {
      labels.push(
        query
          .subarray(at + 1, at + 1 + query[at]!)
          .toString()
          .toLowerCase(),
      );
      at += query[at]! + 1;
    }
    const asked = labels.join("."),
      type = query.readUInt16BE(at + 1),
      question = query.subarray(12, at + 5);
    const a = this.a.get(asked),
      srv = this.srv.get(asked);
    const answers: Buffer[] = [],
      extra: Buffer[] = [];
    if (type === 1) for (const ip of a ?? []) answers.push(record(asked, 1, address(ip)));
    if (type === 33)
      for (const s of srv ?? []) {
        answers.push(record(asked, 33, Buffer.concat([u16(0, s.weight ?? 1, s.port), name(s.target)])));
        for (const ip of this.a.get(s.target) ?? []) extra.push(record(s.target, 1, address(ip)));
      }
    const known = a !== undefined || srv !== undefined;
    if (!known) this.unknown.add(asked);
    return Buffer.concat([
      query.subarray(0, 2),
      u16(0x8580 | (known ? 0 : 3), 1, answers.length, 0, extra.length),
      question,
      ...answers,
      ...extra,
    ]);
  }
}
