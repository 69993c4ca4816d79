# shellcheck shell=bash
# Tells the node exporter when the newest snapshot was made. Called also when none could be made, or none is there.
tell() {
  local newest
  newest=$(find @DIRECTORY@ -maxdepth 1 -type f ! -name '*.part' -printf '%T@\n' 2>/dev/null | sort -n | tail -n 1 || true)
  mkdir -p @METRICS@
  chmod 755 @METRICS@
  {
    echo "# HELP matrix_ha_etcd_snapshot_timestamp_seconds When the newest snapshot of etcd on this host was made; 0: never."
    echo "# TYPE matrix_ha_etcd_snapshot_timestamp_seconds gauge"
    echo "matrix_ha_etcd_snapshot_timestamp_seconds ${newest:-0}"
  } >@METRICS@/etcd.prom.new
  chmod 644 @METRICS@/etcd.prom.new
  mv -f @METRICS@/etcd.prom.new @METRICS@/etcd.prom
}
