"""Copy a folder with s3fs: put and get, recursive, as its documentation shows."""

import sys

import s3fs

direction, folder, endpoint, prefix = sys.argv[1:5]
files = s3fs.S3FileSystem(endpoint_url=endpoint, client_kwargs={"region_name": "us-east-1"})
if direction == "up":
    files.put(f"{folder}/", f"bench/{prefix}/", recursive=True)
else:
    files.get(f"bench/{prefix}/", f"{folder}/", recursive=True)
