/** Settings of group calls. Pure. */
import { bool, port, section } from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";

export const rtcSettings = {
  rtc: section(
    {
      enabled: bool({ doc: "LiveKit SFU on the `call` hosts, for group calls (Element Call)." }).default(true),
      udpPortMin: port({ doc: "First UDP port of media." }).default(55_001),
      udpPortMax: port({ doc: "Last UDP port of media." }).default(60_000),
      tcpPort: port({ doc: "TCP port of media, for clients without UDP." }).default(7881),
      jwtService: bool({
        doc: "Run the token service (lk-jwt-service). Set it to false where its image is unavailable; clients then find no SFU.",
      }).default(true),
    },
    { doc: "Group calls." },
  ).prefault({}),
};

export const rtcOverrides = {
  rtc: section({ replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() }, { doc: "LiveKit." }).prefault({}),
};
