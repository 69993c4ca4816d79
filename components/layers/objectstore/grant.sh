# shellcheck shell=sh

mc mb --ignore-existing store/@BUCKET@
mc version enable store/@BUCKET@
mc ilm rule import store/@BUCKET@ < "$FILES/@BUCKET@.lifecycle.json"
mc admin policy create store @USER@ "$FILES/@USER@.policy.json"
printf '%s\n%s\n' @USER@ "@SECRET_KEY@" | mc admin user add store
mc admin policy attach store @USER@ --user @USER@
