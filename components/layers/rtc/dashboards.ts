/** The dashboard of calls. Pure. */
import { panel, type Dashboard } from "../../core/monitoring";
import { TURN_ROW } from "../turn/dashboards";

export const RTC_DASHBOARDS: Dashboard[] = [
  {
    uid: "matrix-ha-calls",
    title: "Matrix: calls",
    rows: [
      {
        title: "SFU",
        panels: [
          panel("Rooms", "none", ["{{instance}}", 'livekit_room_total{layer="livekit"}']),
          panel("Participants", "none", ["{{instance}}", 'livekit_participant_total{layer="livekit"}']),
          panel("CPU", "none", ["{{instance}}", 'rate(process_cpu_seconds_total{layer="livekit"}[5m])']),
          panel("Packets", "pps", [
            "{{instance}} {{direction}}",
            'sum by (instance, direction) (rate(livekit_packet_total{layer="livekit"}[5m]))',
          ]),
        ],
      },
      TURN_ROW,
    ],
  },
];
