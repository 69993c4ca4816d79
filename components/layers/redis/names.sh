# shellcheck shell=bash disable=SC2034 # for the scripts that include this file
headless=@HEADLESS@
instances=@INSTANCES@
me=$HOSTNAME.$headless
data=${DATA:-/data}
run=${RUN:-/run/redis}
own_record=$data/sentinel/sentinel.conf
