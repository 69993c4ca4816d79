module matrix-ha.lab/minio

go 1.26.8
