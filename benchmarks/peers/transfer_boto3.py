"""Copy a folder with boto3: its own upload_file and download_file, in 32 threads."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config

WORKERS = 32
direction, folder, endpoint, prefix = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
config = Config(max_pool_connections=WORKERS)
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)


def send(file):
    """Send one file."""
    client.upload_file(str(file), "bench", f"{prefix}/{file.relative_to(folder).as_posix()}")


def fetch(key):
    """Fetch one object."""
    file = folder / key.removeprefix(f"{prefix}/")
    file.parent.mkdir(parents=True, exist_ok=True)
    client.download_file("bench", key, str(file))


with ThreadPoolExecutor(WORKERS) as pool:
    if direction == "up":
        list(pool.map(send, [path for path in folder.rglob("*") if path.is_file()]))
    else:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="bench", Prefix=f"{prefix}/")
        list(pool.map(fetch, [one["Key"] for page in pages for one in page["Contents"]]))
