/** Which texts are valid names, addresses, schedules, images and moments: each bound from both sides. */
import assert from "node:assert/strict";
import { cronProblem, parseCron } from "../../components/schema/syntax/schedule";
import {
  DNS_LABEL,
  isDnsName,
  isMoment,
  isS3Endpoint,
  isServerName,
  isUrl,
  LABEL_VALUE,
  nearest,
  parseImage,
} from "../../components/schema/syntax/text";

/** That a test accepts the first texts, and none of the second. */
function only(test: (text: string) => boolean, accepted: string[], refused: string[]): void {
  for (const text of accepted) assert.ok(test(text), `refused: ${JSON.stringify(text)}`);
  for (const text of refused) assert.ok(!test(text), `accepted: ${JSON.stringify(text)}`);
}
const x = (n: number): string => "x".repeat(n);

describe("grammars: names", () => {
  it("one part of a DNS name has 1 to 63 lower-case letters, digits and inner hyphens (RFC 1123)", () => {
    only(
      (text) => DNS_LABEL.test(text),
      ["a", "7", "a-b", "a--b", "0a9", x(63)],
      ["", "-a", "a-", "-", "A", "a_b", "a.b", "a b", "é", x(64), "a\n"],
    );
  });

  it("the value of a Kubernetes label has 1 to 63 letters, digits and inner -, _ and .", () => {
    only(
      (text) => LABEL_VALUE.test(text),
      ["a", "Z", "7", "a_b.c-d", "A0", x(63)],
      ["", "-a", "a-", "_a", "a.", "a b", "a/b", x(64)],
    );
  });

  it("a DNS name has at most 253 characters, and is no IPv4 address", () => {
    const long = (last: number): string => [x(63), x(63), x(63), x(last)].join(".");
    only(
      (text) => isDnsName(text),
      ["a", "a.b", "chat.example.com", "1.2.3", "1.2.3.4.example", long(61)],
      ["", "a..b", ".a", "a.", "1.2.3.4", "a.-b", "a_b.example", "a.B", "a.b.", long(62)],
    );
  });

  it("a public host name has two parts or more", () => {
    only((text) => isDnsName(text, 2), ["example.com", "a.b.c"], ["localhost"]);
    only((text) => isDnsName(text, 3), ["a.b.c", "a.b.c.d"], ["a.b"]);
  });

  it("a server name is a DNS name or an address, and perhaps a port from 1 to 65535", () => {
    only(
      isServerName,
      [
        "matrix.org",
        "localhost",
        "matrix.org:1",
        "matrix.org:8888",
        "matrix.org:65535",
        "1.2.3.4",
        "1.2.3.4:1234",
        "[1234:5678::abcd]",
        "[1234:5678::abcd]:5678",
        "[::ffff:1.2.3.4]",
      ],
      [
        "",
        "a b",
        "matrix.org:",
        "matrix.org:0",
        "matrix.org:65536",
        "matrix.org:99999",
        "matrix.org:000080",
        "matrix.org:80a",
        "matrix.org:80:80",
        "Matrix.org",
        "[12]",
        "[example.com]",
        "[1.2.3.4]",
        "[::1",
        "::1",
        "x[::1]",
        "[::1]x",
        "[::1]:",
        "[::G]",
        "@a:b",
        "-a.org",
      ],
    );
  });

  it("a server name has at most 230 characters, so that a user id of 255 has room for a name", () => {
    const long = (last: number): string => [x(63), x(63), x(63), x(last)].join(".");
    only(isServerName, [long(38), `${long(35)}:80`], [long(39), `${long(36)}:80`]);
  });
});

describe("grammars: URLs", () => {
  it("a URL has an allowed protocol and a host, and neither user nor password", () => {
    only(
      (text) => isUrl(text, ["https:"]),
      ["https://example.com", "https://example.com:8443/path?q=1#x", "https://[fd00::1]/"],
      [
        "",
        "example.com",
        "https://",
        "http://example.com",
        "ftp://example.com",
        "https://user@example.com",
        "https://:password@example.com",
        "https://user:password@example.com",
        " https://example.com",
        "https://example.com ",
        "https://example.com/a b",
        "https://example.com/a\nb",
        "https://example.com/a\tb",
        "https://example.com/\u0000",
        "https://example.com/\u0007b",
      ],
    );
    only(
      (text) => isUrl(text, ["http:", "https:"]),
      ["http://example.com", "https://example.com"],
      ["ws://example.com"],
    );
    only((text) => isUrl(text, ["file:"]), [], ["file:///etc/passwd"]);
  });

  it("an S3 endpoint is unencrypted only inside: at a private address or an internal name", () => {
    only(
      isS3Endpoint,
      [
        "https://s3.example.net",
        "https://203.0.113.9:9000",
        "http://10.0.0.1:9000",
        "http://192.168.3.4",
        "http://[fd00::1]:9000",
        "http://minio.storage.svc",
        "http://minio.storage.svc:9000",
        "http://minio.storage.svc.cluster.local:9000",
        "http://minio.storage.svc.example.net",
        "http://s3.internal",
        "http://s3.local",
        "http://s3.lan",
      ],
      [
        "http://s3.example.net",
        "http://8.8.8.8",
        "http://8.8.8.8:9000",
        "http://[2600::1]",
        "http://miniosvc",
        "http://minio.svcs.example.net",
        "http://s3internal",
        "http://planetlan",
        "http://s3.lan.example.net",
        "http://s3.internals",
        "http://user@s3.local",
        "ftp://10.0.0.1",
        "10.0.0.1",
        "",
      ],
    );
  });
});

describe("grammars: schedules of backups", () => {
  it("a line of six fields, the seconds first, is valid", () => {
    for (const line of [
      "0 0 2 * * *",
      "  0  0 2 *\t* * ",
      "0 */15 * * * *",
      "0 30 1,13 * JAN-MAR MON-FRI",
      "0 0 0 1 1 ?",
      "? ? ? ? ? ?",
      "0 0 2 * * SUN",
      "0 0 2 * * sat",
      "0 0 1-5/2 * * *",
      "0 0 5/2 * * *",
      "0 0 5-5 * * *",
      "*/1 * * * * *",
      "*/10 * * * * *",
    ])
      assert.equal(cronProblem(line), undefined, line);
  });

  it("each field has its own bounds, and the error names the field", () => {
    const FIELDS: Array<[string, number, number, number]> = [
      ["second", 0, 0, 59],
      ["minute", 1, 0, 59],
      ["hour", 2, 0, 23],
      ["day of month", 3, 1, 31],
      ["month", 4, 1, 12],
      ["day of week", 5, 0, 6],
    ];
    const line = (at: number, value: string): string =>
      Array.from({ length: 6 }, (_, i) => (i === at ? value : "*")).join(" ");
    for (const [name, at, least, most] of FIELDS) {
      assert.equal(cronProblem(line(at, String(least))), undefined, name);
      assert.equal(cronProblem(line(at, String(most))), undefined, name);
      assert.equal(cronProblem(line(at, `${least}-${most}`)), undefined, name);
      assert.equal(cronProblem(line(at, `${most}-${least}`)), `${name} "${most}-${least}"`);
      assert.equal(cronProblem(line(at, String(most + 1))), `${name} "${most + 1}"`);
      assert.equal(cronProblem(line(at, `${least},${most + 1}`)), `${name} "${least},${most + 1}"`);
      assert.equal(cronProblem(line(at, `${most}-${most + 1}`)), `${name} "${most}-${most + 1}"`);
      assert.equal(cronProblem(line(at, "x")), `${name} "x"`);
      if (least === 1) assert.equal(cronProblem(line(at, "0")), `${name} "0"`);
    }
  });

  it("months and days of the week have names, in the order of the calendar", () => {
    const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    MONTHS.forEach((month, i) => {
      assert.equal(cronProblem(`0 0 2 * ${month}-${i + 1} *`), undefined, month);
      assert.equal(cronProblem(`0 0 2 * ${i + 1}-${month.toLowerCase()} *`), undefined, month);
    });
    const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    DAYS.forEach((day, i) => {
      assert.equal(cronProblem(`0 0 2 * * ${day}-${i}`), undefined, day);
      assert.equal(cronProblem(`0 0 2 * * ${i}-${day.toLowerCase()}`), undefined, day);
    });
    for (const [line, problem] of [
      ["0 0 2 * MAR-JAN *", 'month "MAR-JAN"'],
      ["0 0 2 * DEC-11 *", 'month "DEC-11"'],
      ["0 0 2 * 2-JAN *", 'month "2-JAN"'],
      ["0 0 2 * SUN *", 'month "SUN"'],
      ["0 0 2 * * SAT-SUN", 'day of week "SAT-SUN"'],
      ["0 0 2 * * JAN", 'day of week "JAN"'],
      ["0 0 2 * * FOO", 'day of week "FOO"'],
      ["0 0 2 * * SUNDAY", 'day of week "SUNDAY"'],
      ["0 0 JAN * * *", 'hour "JAN"'],
      ["0 0 2 SUN * *", 'day of month "SUN"'],
    ] as const)
      assert.equal(cronProblem(line), problem);
  });

  it("a step is 1 or more, and a list has no gaps", () => {
    for (const hour of ["*/0", "*/x", "*/", "/2", "1,,2", "1,", ",1", "1-", "-1", "1-2-3", "**", "a*", "1.5", "1/2/3"])
      assert.equal(cronProblem(`0 0 ${hour} * * *`), `hour "${hour}"`);
  });

  it("the number of fields is said where it is not six: five are those of a crontab", () => {
    assert.equal(cronProblem("0 2 * * *"), "5 fields");
    assert.equal(cronProblem("0 0 2 * * * *"), "7 fields");
    assert.equal(cronProblem("daily"), "1 field");
  });

  it("a field names its values: by number or name, in ranges and steps, each once", () => {
    const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parseCron(
      "0 50/5 8-12/2,9,8 */10 nov,JAN-mar MON-FRI",
    );
    assert.deepEqual(
      [second, minute, hour, dayOfMonth, month, dayOfWeek].map(({ any, values }) => [any, ...values]),
      [
        [false, 0],
        // A step without an end goes to the largest value.
        [false, 50, 55],
        [false, 8, 10, 12, 9],
        [false, 1, 11, 21, 31],
        [false, 11, 1, 2, 3],
        [false, 1, 2, 3, 4, 5],
      ],
    );
    const weekly = parseCron("@weekly");
    assert.deepEqual([...weekly.dayOfWeek.values], [0]);
    assert.deepEqual([weekly.dayOfMonth.any, weekly.dayOfMonth.values.size], [true, 31]);
    assert.equal(parseCron("? 0 2 * * *").second.any, true);
  });

  it("the usual schedules have names", () => {
    for (const name of ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"])
      assert.equal(cronProblem(name), undefined, name);
    for (const text of ["@dailyx", "x@daily", "@reboot", "@", "@every 1h"])
      assert.match(String(cronProblem(text)), /^\d fields?$/, text);
  });
});

describe("grammars: images", () => {
  const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
  it("a reference has a repository, and perhaps a tag and a digest", () => {
    for (const [text, repository, tag, digest] of [
      ["redis", "redis", undefined, undefined],
      ["redis:7", "redis", "7", undefined],
      ["library/redis:7.4-alpine", "library/redis", "7.4-alpine", undefined],
      ["registry.example.com:5000/a_b/c-d:V1_x", "registry.example.com:5000/a_b/c-d", "V1_x", undefined],
      ["registry.example.com:5000/synapse", "registry.example.com:5000/synapse", undefined, undefined],
      [`redis@${DIGEST}`, "redis", undefined, DIGEST],
      [`registry.example.com/redis:7@${DIGEST}`, "registry.example.com/redis", "7", DIGEST],
      ["r:5000/a__b.c---d/e:1", "r:5000/a__b.c---d/e", "1", undefined],
      ["localhost:5000/redis", "localhost:5000/redis", undefined, undefined],
      // A tag has at most 128 characters (the OCI distribution specification).
      [`redis:${x(128)}`, "redis", x(128), undefined],
      ["redis:_", "redis", "_", undefined],
    ] as const)
      assert.deepEqual(parseImage(text), { repository, tag, digest }, text);
  });

  it("what no registry has is no reference", () => {
    for (const text of [
      "",
      "Redis:7",
      "redis:",
      "redis:-7",
      "redis:.7",
      `redis:${x(129)}`,
      " redis:7",
      "redis:7 ",
      "redis 7",
      "redis::7",
      // A container runtime cannot pull any of these: the pod would wait with InvalidImageName.
      "https://registry.example.com/redis:7",
      "registry.example.com//redis:7",
      "registry.example.com:port/redis:7",
      "registry.example.com:123456/redis:7",
      "-registry.example.com:5000/redis:7",
      "registry.example.com-:5000/redis:7",
      "a-/redis_",
      "a___b:7",
      "a..b:7",
      "_a:7",
      "/redis",
      "redis/",
      "redis:7@sha256:abc",
      `redis@${DIGEST.toUpperCase()}`,
      `redis@${DIGEST}0`,
      `redis@${DIGEST.slice(0, -1)}`,
      `redis@md5:${"0".repeat(32)}`,
    ])
      assert.equal(parseImage(text), undefined, text);
  });
});

describe("grammars: what a mistyped name means", () => {
  it("is the known name that differs least", () => {
    for (const [name, known, meant] of [
      ["registraton", ["rtc", "registration", "federation"], "registration"],
      ["domian", ["ccu", "domain"], "domain"],
      ["Domain", ["domain"], "domain"],
      ["matrix_ha", ["matrix-ha"], "matrix-ha"],
      ["userdirectory", ["user-directory"], "user-directory"],
      ["min_port", ["maxPort", "minPort"], "minPort"],
      ["kitten", ["sitting", "mitten"], "mitten"],
      ["cc", ["ccu"], "ccu"],
      ["ccuu", ["ccu"], "ccu"],
      // A third of its letters may be wrong, one in every case.
      ["abcdef", ["abcdxy"], "abcdxy"],
      ["abcdef", ["abcxyz"], undefined],
      ["abcdefghi", ["abcdefxyz"], "abcdefxyz"],
      ["abcdefghi", ["abcdexyzz"], undefined],
      ["ccv", ["ccu"], "ccu"],
      ["cvv", ["ccu"], undefined],
      ["abcde", ["abcdx"], "abcdx"],
      ["abcde", ["abcxy"], undefined],
      ["zzz", ["ccu", "domain"], undefined],
      ["x", [], undefined],
    ] as const)
      assert.equal(nearest(name, known), meant, `${name} of ${known.join(", ")}`);
  });

  it("or begins with it, or is the beginning of it, from four letters on", () => {
    for (const [name, known, meant] of [
      ["moni", ["media", "monitoring"], "monitoring"],
      ["mon", ["media", "monitoring"], undefined],
      ["turnserver", ["rtc", "turn"], "turn"],
      ["rtcserver", ["rtc"], undefined],
      ["serverturn", ["turn"], undefined],
      ["ring", ["monitoring"], undefined],
    ] as const)
      assert.equal(nearest(name, known), meant, name);
  });

  it("is no name of a quite different length", () => {
    const name = "abcdefghijklmnopqrstuvwxyza";
    assert.equal(nearest(`${"0".repeat(12)}${name}`, [name]), name);
    assert.equal(nearest(`${"0".repeat(13)}${name}`, [name]), undefined);
    assert.equal(nearest(name, [`${"0".repeat(9)}${name}`]), `${"0".repeat(9)}${name}`);
  });
});

describe("grammars: moments", () => {
  it("a moment has a date, a time and a zone (RFC 3339)", () => {
    only(
      isMoment,
      [
        "2026-11-20T14:30:00Z",
        "2026-11-20T14:30:00.5Z",
        "2026-11-20T14:30:00.123456Z",
        "2026-11-20T14:30:00+02:00",
        "2026-11-20T14:30:00-11:30",
        "2024-02-29T00:00:00Z",
        "2026-12-31T23:59:59Z",
        "2026-01-01T00:00:00Z",
      ],
      [
        "",
        "2026-11-20",
        "2026-11-20T14:30:00",
        "2026-11-20 14:30:00Z",
        "2026-11-20T14:30Z",
        "2026-11-20T14:30:00.Z",
        "2026-11-20T14:30:00.1234567Z",
        "2026-11-20T14:30:00+0200",
        "2026-11-20T14:30:00+02",
        "2026-11-20T14:30:00z",
        "2026-11-20T14:30:00Z ",
        " 2026-11-20T14:30:00Z",
        "12026-11-20T14:30:00Z",
        "26-11-20T14:30:00Z",
        "2026-1-20T14:30:00Z",
        "2026-11-2T14:30:00Z",
        "2026-11-20T25:00:00Z",
        "2026-11-20T14:60:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
      ],
    );
  });

  it("on a day that the calendar has", () => {
    only(
      isMoment,
      ["2026-02-28T00:00:00Z", "2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z"],
      ["2026-02-29T00:00:00Z", "2026-02-31T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z"],
    );
  });
});
