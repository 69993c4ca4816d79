# shellcheck shell=sh
for d in /var/public /usr/share/nginx/html; do
  if [ -f "$d/index.html" ]; then cp -RL "$d/." @UI_DIR@/ && exit 0; fi
done
echo "no index.html in /var/public or /usr/share/nginx/html of this image" >&2
exit 1
