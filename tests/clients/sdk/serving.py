"""A server of a test's own, which can be killed and started again on the same data and the same ports."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Self

from harness import scratch


def free_port() -> int:
    """A port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Serve:
    """`synap serve` on a data folder of its own; ended when the block ends."""

    def __init__(self) -> None:
        self.dir = Path(scratch())
        self.key = "synap_of_one_test_alone"
        self.http_port, self.grpc_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.settings = {
            "api_base_url": self.url,
            "grpc_host": "127.0.0.1",
            "grpc_port": self.grpc_port,
            "grpc_use_tls": False,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def start(self) -> None:
        """Starts the server and waits until it serves."""
        command = [os.environ["SYNAP_BIN"], "serve", "--data-dir", str(self.dir / "data"), "--api-key", self.key]
        command += ["--http", f"127.0.0.1:{self.http_port}", "--grpc", f"127.0.0.1:{self.grpc_port}"]
        with (self.dir / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, (self.dir / "log").read_text()[-2000:]
        assert json.loads(line)["ready"]

    def kill(self) -> None:
        """Ends the server as a power cut would."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
