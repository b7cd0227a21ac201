"""Writes the golden files from a running Trino; each part can be written alone."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TESTS, "sql"))
import access_cases  # noqa: E402
import protocol  # noqa: E402
from servers import OracleError, say  # noqa: E402


def write_protocol(url, sizes):
    say("recording the client protocol")
    protocol.record(url, os.path.join(TESTS, "golden", "protocol"))


def runner(url, *args):
    done = subprocess.run([sys.executable, os.path.join(TESTS, "sql", "run"), "--server", url,
                           "--record", *args])
    if done.returncode:
        raise OracleError("tests/sql/run --record %s failed" % " ".join(args))


def write_suite(suite):
    def write_sizes(url, sizes):
        for size in sizes:
            folder = os.path.join(TESTS, "golden", suite, size)
            os.makedirs(folder, exist_ok=True)
            runner(url, "--suite", suite, "--size", size, "--load", "--jobs", "1")
    return write_sizes


def write_cases(url, sizes):
    runner(url)


def write_access(url, sizes):
    say("recording what access control answers")
    document = access_cases.load()
    access_cases.prepare(url)
    for case in document["cases"]:
        case["answer"] = access_cases.answer(url, case)
    access_cases.save(document)


PARTS = {"tpch": write_suite("tpch"), "blueprint": write_suite("blueprint"),
         "cases": write_cases, "protocol": write_protocol,
         "access": write_access}


def write(url, parts, sizes):
    for part in parts:
        PARTS[part](url, sizes)
