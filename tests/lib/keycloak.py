"""Real Keycloak 26.7.3 from Maven Central, started for a comparison: with keycloak.Keycloak() as k: k.base, k.password."""
import os
import secrets
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.request

import dp
import maven
from proc import free_port

DIST = "org.keycloak:keycloak-quarkus-dist:26.7.3:tar.gz"


class Keycloak:
    """start-dev with its own H2 database in a temporary folder; about 700 MiB and a minute to start."""

    def __init__(self, port=0):
        self.port = port or free_port()
        self.base = "http://127.0.0.1:%d" % self.port
        self.password = secrets.token_urlsafe(16)
        self.folder = dp.temp_folder("keycloak-")

    def __enter__(self):
        with tarfile.open(maven.fetch(DIST)) as tar:
            tar.extractall(self.folder, filter="data")
        home = os.path.join(self.folder, os.listdir(self.folder)[0])
        env = dict(os.environ, KC_BOOTSTRAP_ADMIN_USERNAME="admin", KC_BOOTSTRAP_ADMIN_PASSWORD=self.password,
                   JAVA_OPTS_APPEND="-Xmx700m")
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            [os.path.join(home, "bin", "kc.sh"), "start-dev", "--http-host=127.0.0.1", "--http-port=%d" % self.port,
             "--http-management-port=%d" % free_port()], env=env, stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL, start_new_session=True)
        self._wait(300)
        return self

    def _wait(self, timeout):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.base + "/realms/master", timeout=5)
                return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(1)
        self.__exit__()
        raise RuntimeError("Keycloak didn't start")

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, 15)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
