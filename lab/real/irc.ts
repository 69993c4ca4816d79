/** A user of an IRC server, who is in one channel and notes what is said there. */
import * as net from "node:net";

export class IrcUser {
  /** What others said in the channel, in order. */
  readonly heard: string[] = [];
  /** Everyone who has joined it after this user. */
  readonly joined: string[] = [];
  private readonly socket: net.Socket;

  constructor(
    host: string,
    port: number,
    private readonly nick: string,
    private readonly channel: string,
  ) {
    this.socket = net.connect(port, host);
    let rest = "";
    this.socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop()!;
      for (const line of lines) this.take(line);
    });
    this.socket.on("error", () => undefined);
    this.write(`NICK ${nick}`, `USER ${nick} 0 * :${nick}`, `JOIN ${channel}`);
  }

  private take(line: string): void {
    if (line.startsWith("PING")) this.write(line.replace("PING", "PONG"));
    const said = /^:\S+ PRIVMSG (\S+) :?(.*)$/.exec(line);
    if (said?.[1] === this.channel) this.heard.push(said[2]!);
    const joined = /^:([^!\s]+)\S* JOIN :?(\S+)$/.exec(line);
    if (joined?.[2] === this.channel && joined[1] !== this.nick) this.joined.push(joined[1]!);
  }
  private write(...lines: string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(""));
  }
  say(text: string): void {
    this.write(`PRIVMSG ${this.channel} :${text}`);
  }
  end(): void {
    this.socket.destroy();
  }
}
