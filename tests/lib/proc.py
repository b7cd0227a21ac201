"""A program that a test starts, waits for and stops; ports that nobody uses."""
import os
import random
import signal
import socket
import subprocess
import time


class ServerError(Exception):
    """Something that the person at the keyboard can fix; printed without a traceback."""


def free_port(also_plus=0):
    """A port that nobody listens on; with also_plus, port + also_plus is free as well."""
    for _ in range(200):
        port = random.randint(20000, 32000)     # below those that the system gives to outgoing connections
        try:
            for p in {port, port + also_plus}:
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
            return port
        except OSError:
            continue
    raise ServerError("no free port between 20000 and 32000")


def port_open(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A child process with a log file."""

    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.proc = None

    def spawn(self, args, **kw):
        with open(self.log, "ab") as out:
            self.proc = subprocess.Popen(args, stdout=out, stderr=subprocess.STDOUT,
                                         stdin=subprocess.DEVNULL, start_new_session=True, **kw)

    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def last_log_lines(self, n=25):
        try:
            with open(self.log, errors="replace") as f:
                return "".join(f.readlines()[-n:])
        except OSError:
            return ""

    def wait(self, ready, timeout):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.alive():
                raise ServerError("%s ended with code %s; the end of %s:\n%s" % (
                    self.name, self.proc.returncode, self.log, self.last_log_lines()))
            if ready():
                return
            time.sleep(0.1)
        raise ServerError("%s did not become ready in %d s; the end of %s:\n%s" % (
            self.name, timeout, self.log, self.last_log_lines()))

    def stop(self, sig=signal.SIGTERM, patience=20):
        if not self.alive():
            return
        self.proc.send_signal(sig)
        try:
            self.proc.wait(patience)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
