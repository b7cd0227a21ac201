"""The three servers that make up the oracle, each private: PostgreSQL, an S3 store, Trino 476.

Each is a context of its own: obtained into the cache folder if needed, started on ports that nobody
uses, its files below one temporary folder, stopped by its pid. Nothing here is shared with a server that
happens to run on the machine.
"""
import glob
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), d) for d in ("sql", "lib")]
import trino_http  # noqa: E402
import pg  # noqa: E402
from proc import Server, ServerError as OracleError, free_port, port_open  # noqa: E402

TRINO_VERSION = "476"
TRINO_SHA256 = "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f"
PLUGINS = ("iceberg", "tpch", "tpcds", "memory")
BUCKETS = ("trino-data", "trino-exchange", "airflow")


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- PostgreSQL: the catalog's home ---

class Postgres(pg.Postgres):
    """With the JDBC catalog's tables."""

    def start(self):
        super().start()
        with open(os.path.join(HERE, "iceberg_jdbc_v1.sql")) as f:
            self.psql(f.read())


# --- the S3 store ---

class SeaweedS3(Server):
    """SeaweedFS in one process, from PyPI's wheel; one admin key."""

    def __init__(self, folder, cache):
        super().__init__("seaweedfs", os.path.join(folder, "seaweedfs.log"))
        self.folder = os.path.join(folder, "s3")
        self.cache = cache
        self.access_key = "oracle" + secrets.token_hex(4)
        self.secret_key = secrets.token_hex(20)
        self.region = "us-east-1"
        self.endpoint = None

    def program(self):
        venv = os.path.join(self.cache, "venv-s3")
        weed = os.path.join(venv, "bin", "weed")
        if not os.path.exists(weed):
            say("fetching the S3 store")
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([os.path.join(venv, "bin", "pip"), "install", "-q", "--require-hashes",
                            "-r", os.path.join(HERE, "requirements.lock")], check=True)
        return weed

    def start(self):
        weed = self.program()
        os.makedirs(self.folder)
        ports = {k: free_port(10000) for k in ("master", "volume", "filer", "s3")}
        config = os.path.join(self.folder, "s3.json")
        with open(config, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            json.dump({"identities": [{
                "name": "admin",
                "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}, f)
        self.spawn([weed, "server", "-dir", self.folder, "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1",
                    "-master.port", str(ports["master"]), "-volume.port", str(ports["volume"]),
                    "-master.volumeSizeLimitMB", "1024", "-volume.max", "100",
                    "-filer", "-filer.port", str(ports["filer"]),
                    "-s3", "-s3.port", str(ports["s3"]), "-s3.config", config],
                   cwd=self.folder)
        self.endpoint = "http://127.0.0.1:%d" % ports["s3"]
        self.wait(lambda: port_open(ports["s3"]) and port_open(ports["filer"]), 60)
        # A bucket can only be made once the filer has the volume server; retry until it has.
        self.wait(lambda: all(self._make_bucket(b) for b in BUCKETS), 60)

    def _make_bucket(self, bucket):
        try:
            status = s3_request(self, "PUT", "/" + bucket)
        except OSError:
            return False
        return status in (200, 409)


class ForeignS3:
    """A store that runs already, such as ours: its endpoint and keys come from the command line."""

    name = "s3"

    def __init__(self, endpoint, access_key, secret_key, region):
        self.endpoint, self.region = endpoint, region
        self.access_key, self.secret_key = access_key, secret_key

    def start(self):
        for bucket in BUCKETS:
            status = s3_request(self, "HEAD", "/" + bucket)
            if status == 404:
                status = s3_request(self, "PUT", "/" + bucket)
            if status not in (200, 403):
                raise OracleError("bucket %s at %s: HTTP %d" % (bucket, self.endpoint, status))

    def stop(self):
        pass

    def alive(self):
        return True


def s3_request(store, method, path):
    """A request without body and query, signed with SigV4; its status."""
    import hmac
    host = store.endpoint.split("://", 1)[1]
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    empty = hashlib.sha256(b"").hexdigest()
    signed = "host;x-amz-content-sha256;x-amz-date"
    canonical = "\n".join([method, path, "", "host:" + host, "x-amz-content-sha256:" + empty,
                           "x-amz-date:" + now, "", signed, empty])
    scope = "%s/%s/s3/aws4_request" % (now[:8], store.region)
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + store.secret_key).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    req = urllib.request.Request(store.endpoint + path, method=method, headers={
        "x-amz-content-sha256": empty, "x-amz-date": now,
        "Authorization": "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s" % (
            store.access_key, scope, signed, signature)})
    try:
        with urllib.request.urlopen(req, timeout=20) as resp:
            return resp.status
    except urllib.error.HTTPError as e:
        return e.code


# --- Trino ---

def find_java(at_least=24):
    """The home of a JDK that Trino 476 accepts."""
    homes = [os.environ.get("JAVA25_HOME"), os.environ.get("JAVA_HOME")]
    homes += sorted(glob.glob("/usr/lib/jvm/*"), reverse=True)
    seen = []
    for home in homes:
        java = home and os.path.join(home, "bin", "java")
        if not java or not os.path.exists(java):
            continue
        out = subprocess.run([java, "-XshowSettings:properties", "-version"],
                             capture_output=True, text=True).stderr
        for line in out.splitlines():
            if line.strip().startswith("java.specification.version ="):
                version = line.split("=")[1].strip()
                if version.isdigit() and int(version) >= at_least:
                    return home
                seen.append("%s (%s)" % (home, version))
    raise OracleError("Trino %s needs Java %d or newer: set JAVA25_HOME to such a JDK%s" % (
        TRINO_VERSION, at_least, "; found only " + ", ".join(seen) if seen else ""))


def fetch_trino(cache):
    """Trino's folder in the cache, fetched through the Maven client when it isn't there."""
    home = os.path.join(cache, "trino-server-" + TRINO_VERSION)
    if os.path.isdir(home):
        return home
    mvn = shutil.which("mvn")
    if not mvn:
        raise OracleError("mvn is missing; install the package maven")
    os.makedirs(cache, exist_ok=True)
    tarball = os.path.join(cache, "trino-server-%s.tar.gz" % TRINO_VERSION)
    if not os.path.exists(tarball):
        say("fetching Trino %s (about 800 MB)" % TRINO_VERSION)
        subprocess.run([mvn, "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
                        "-Dartifact=io.trino:trino-server:%s:tar.gz" % TRINO_VERSION,
                        "-DoutputDirectory=" + cache], check=True, stdout=sys.stderr)
    digest = hashlib.sha256()
    with open(tarball, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != TRINO_SHA256:
        raise OracleError("%s has sha256 %s, expected %s: remove it and run again" % (
            tarball, digest.hexdigest(), TRINO_SHA256))
    say("unpacking Trino")
    part = home + ".part%d" % os.getpid()
    with tarfile.open(tarball) as tar:
        tar.extractall(part, filter="tar") if hasattr(tarfile, "tar_filter") else tar.extractall(part)
    os.rename(os.path.join(part, "trino-server-" + TRINO_VERSION), home)
    os.rmdir(part)
    return home


class Trino(Server):
    """One coordinator that is its own worker; catalogs iceberg, tpch, tpchstd, tpcds, memory."""

    def __init__(self, folder, cache, postgres, s3, heap="2G", port=None, access=None):
        super().__init__("trino", os.path.join(folder, "trino.log"))
        self.access = access            # a folder with rules.json and groups.txt, or None
        self.folder = os.path.join(folder, "trino")
        self.cache = cache
        self.postgres, self.s3, self.heap = postgres, s3, heap
        self.port = port or free_port()
        self.url = "http://127.0.0.1:%d" % self.port

    def catalogs(self):
        return {
            "iceberg": {
                "connector.name": "iceberg",
                "iceberg.catalog.type": "jdbc",
                "iceberg.jdbc-catalog.catalog-name": "iceberg",
                "iceberg.jdbc-catalog.driver-class": "org.postgresql.Driver",
                "iceberg.jdbc-catalog.connection-url": "jdbc:postgresql://127.0.0.1:%d/%s" % (
                    self.postgres.port, self.postgres.database),
                "iceberg.jdbc-catalog.connection-user": self.postgres.user,
                "iceberg.jdbc-catalog.connection-password": self.postgres.password,
                "iceberg.jdbc-catalog.default-warehouse-dir": "s3://trino-data/warehouse",
                "fs.native-s3.enabled": "true",
                "s3.endpoint": self.s3.endpoint,
                "s3.region": self.s3.region,
                "s3.path-style-access": "true",
                "s3.aws-access-key": self.s3.access_key,
                "s3.aws-secret-key": self.s3.secret_key,
            },
            "tpch": {"connector.name": "tpch"},
            "tpchstd": {"connector.name": "tpch", "tpch.column-naming": "STANDARD"},
            "tpcds": {"connector.name": "tpcds"},
            "memory": {"connector.name": "memory"},
        }

    def start(self):
        java = find_java()
        home = fetch_trino(self.cache)
        etc = os.path.join(self.folder, "etc")
        plugins = os.path.join(self.folder, "plugin")
        os.makedirs(os.path.join(etc, "catalog"))
        os.makedirs(plugins)
        for p in PLUGINS + (("password-authenticators",) if self.access else ()):       # the other fifty plugins only cost start-up time
            os.symlink(os.path.join(home, "plugin", p), os.path.join(plugins, p))

        def write(name, lines):
            path = os.path.join(etc, name)
            with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
                f.write("\n".join(lines) + "\n")

        write("node.properties", ["node.environment=test", "node.id=oracle",
                                  "node.data-dir=" + os.path.join(self.folder, "data")])
        write("config.properties", [
            "coordinator=true", "node-scheduler.include-coordinator=true",
            "http-server.http.port=%d" % self.port,
            "discovery.uri=" + self.url,
            "plugin.dir=" + plugins,
            "catalog.config-dir=" + os.path.join(etc, "catalog"),
        ])
        # UTC, so that a golden file says the same wherever it was made.
        write("jvm.config", ["-server", "-Xmx" + self.heap, "-XX:+ExitOnOutOfMemoryError",
                             "-XX:ReservedCodeCacheSize=256M", "-Duser.timezone=UTC",
                             "-Dfile.encoding=UTF-8", "-Djdk.attach.allowAttachSelf=true",
                             "--enable-native-access=ALL-UNNAMED"])
        write("log.properties", ["io.trino=WARN", "io.trino.server=INFO"])
        if self.access:
            write("access-control.properties", ["access-control.name=file",
                                                "security.config-file=" + os.path.join(self.access, "rules.json")])
            write("group-provider.properties", ["group-provider.name=file",
                                                "file.group-file=" + os.path.join(self.access, "groups.txt")])
        for name, props in self.catalogs().items():
            write("catalog/%s.properties" % name, ["%s=%s" % kv for kv in props.items()])
        env = dict(os.environ, JAVA_HOME=java, TZ="UTC")
        env["PATH"] = os.path.join(java, "bin") + ":" + env.get("PATH", "")
        self.spawn([os.path.join(home, "bin", "launcher"), "--etc-dir", etc,
                    "--data-dir", os.path.join(self.folder, "data"),
                    "--jvm-dir", java, "run"], env=env, cwd=self.folder)
        self.wait(lambda: trino_http.wait_ready(self.url, 2, self.alive), 180)
        session = trino_http.Session(self.url)
        # A table read needs the node to have announced itself, which comes a moment later.
        self.wait(lambda: not trino_http.execute(session, "SELECT count(*) FROM tpch.tiny.region").error, 60)
