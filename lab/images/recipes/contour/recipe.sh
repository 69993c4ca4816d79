program contour /bin/contour
image --dir /tmp=1777 --user 65532:65532 --entrypoint '["/bin/contour"]'
