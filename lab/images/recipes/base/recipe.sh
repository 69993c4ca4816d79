# The layer under every Debian image (see base.sh), and an image of its own for helper pods.
on_base
image --cmd '["sleep","infinity"]'
