"""Starts the store alone (tests/unit/s3/store.c) in a folder, and gives clients of its users.

With STORE_TLS in the environment it speaks TLS, and the clients of this process and of those that it starts verify that.
"""
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.request

import certs
import dp
from proc import free_port

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(dp.program())), "tests", "unit", "s3", "store")

SPEC = """\
data: data
services:
  store: {{port: {port}}}
objects:
  buckets: [trino-data, trino-exchange, airflow, made-here]
  users:
    trino:   {{access-key: trino, buckets: [trino-data, trino-exchange, made-here]}}
    airflow: {{access-key: airflow, buckets: [airflow]}}
"""


class Store:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.context = None
        self.url = "http://127.0.0.1:%d" % self.port
        self.process = None
        os.makedirs(os.path.join(folder, "data"), mode=0o700, exist_ok=True)
        with open(os.path.join(folder, "platform.yaml"), "w") as f:
            f.write(SPEC.format(port=self.port))
            if os.environ.get("STORE_TLS"):
                self._add_tls(f)

    def _add_tls(self, spec):
        authority = certs.Authority(self.folder)
        path = authority.issue("server", hosts=["127.0.0.1"])
        spec.write("tls: {certificate: %s, key: %s, ca: %s}\n" % (path, path, authority.certificate))
        self.url = self.url.replace("http:", "https:")
        self.context = ssl.create_default_context(cafile=authority.certificate)
        for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            os.environ[name] = authority.certificate

    def connect(self, timeout):
        """A socket to the store."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        return self.context.wrap_socket(plain, server_hostname="127.0.0.1") if self.context else plain

    def http_connection(self, timeout):
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def start(self, seconds=20):
        with open(os.path.join(self.folder, "store.log"), "a") as log:
            self.process = subprocess.Popen([PROGRAM, "platform.yaml"], cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(self.url + "/minio/health/ready", timeout=5):
                    return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the store did not start:\n" + self.log_text()[-4000:])
                time.sleep(0.05)

    def kill(self):
        """As a power cut would, for the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """An orderly stop; its exit code, which the sanitizers make non-zero for what they found."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1

    def log_text(self):
        with open(os.path.join(self.folder, "store.log")) as f:
            return f.read()

    def secret(self, user):
        with open(os.path.join(self.folder, "data", "secrets.json")) as f:
            return find_secret(json.load(f), "store/users/%s/secret-key" % user)

    def client(self, user="trino", secret=None, **config):
        return dp.s3_client(self.url, user, secret or self.secret(user),
                            **{"signature_version": "s3v4", "max_pool_connections": 64, **config})


def find_secret(tree, name):
    if name in tree:
        return tree[name]
    for value in tree.values():
        if isinstance(value, dict) and name in value:
            return value[name]
    raise KeyError(name)
