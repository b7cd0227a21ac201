"""Writes the golden files from a running Trino; each part can be written alone."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TESTS, "sql"))
import protocol  # noqa: E402
from servers import say  # noqa: E402


def write_protocol(url, schemas):
    say("recording the client protocol")
    protocol.record(url, os.path.join(TESTS, "golden", "protocol"))


PARTS = {"protocol": write_protocol}


def write(url, parts, schemas):
    for part in parts:
        PARTS[part](url, schemas)
