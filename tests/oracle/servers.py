"""The three servers that make up the oracle, each private: PostgreSQL, an S3 store, Trino 476.

Each is a context of its own: obtained into the cache folder if needed, started on ports that nobody
uses, its files below one temporary folder, stopped by its pid. Nothing here is shared with a server that
happens to run on the machine.
"""
import glob
import hashlib
import json
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "sql"))
import trino_http  # noqa: E402

TRINO_VERSION = "476"
TRINO_SHA256 = "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f"
PLUGINS = ("iceberg", "tpch", "tpcds", "memory")
BUCKETS = ("trino-data", "trino-exchange", "airflow")


class OracleError(Exception):
    """Something that the person at the keyboard can fix; printed without a traceback."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port(also_plus=0):
    """A port that nobody listens on; with also_plus, port + also_plus is free as well."""
    for _ in range(200):
        port = random.randint(20000, 39999)
        try:
            for p in {port, port + also_plus}:
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
            return port
        except OSError:
            continue
    raise OracleError("no free port between 20000 and 39999")


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
                raise OracleError("%s ended with code %s; the end of %s:\n%s" % (
                    self.name, self.proc.returncode, self.log, self.last_log_lines()))
            if ready():
                return
            time.sleep(0.1)
        raise OracleError("%s did not become ready in %d s; the end of %s:\n%s" % (
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


# --- PostgreSQL: the catalog's home ---

class Postgres(Server):
    """A private cluster, superuser `iceberg`, database `iceberg` with the JDBC catalog's tables."""

    def __init__(self, folder):
        super().__init__("postgresql", os.path.join(folder, "postgresql.log"))
        self.data = os.path.join(folder, "postgresql")
        self.port = free_port()
        self.user = "iceberg"
        self.password = secrets.token_hex(12)
        self.database = "iceberg"

    @staticmethod
    def bin_folder():
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"),
                       key=lambda p: int(p.split("/")[-2]) if p.split("/")[-2].isdigit() else 0)
        if found:
            return found[-1]
        initdb = shutil.which("initdb")
        if initdb:
            return os.path.dirname(initdb)
        raise OracleError("PostgreSQL's server programs are missing; install the package postgresql")

    def start(self):
        bindir = self.bin_folder()
        as_user = {}
        os.makedirs(self.data, mode=0o700)
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root; Debian's package made this account for it.
            try:
                account = pwd.getpwnam("postgres")
            except KeyError:
                raise OracleError("root can't run PostgreSQL and there is no user postgres")
            as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(self.data, account.pw_uid, account.pw_gid)
        pwfile = os.path.join(self.data + ".pw")
        with open(pwfile, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(self.password + "\n")
        if as_user:
            os.chown(pwfile, as_user["user"], as_user["group"])
        done = subprocess.run(
            [os.path.join(bindir, "initdb"), "-D", self.data, "-U", self.user, "-A", "scram-sha-256",
             "--pwfile", pwfile, "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
            capture_output=True, text=True, cwd="/", **as_user)
        os.unlink(pwfile)
        if done.returncode:
            raise OracleError("initdb failed:\n" + done.stdout + done.stderr)
        self.spawn([os.path.join(bindir, "postgres"), "-D", self.data, "-p", str(self.port),
                    "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                    "-c", "fsync=off", "-c", "max_connections=100"], cwd="/", **as_user)
        self.wait(lambda: self._psql("SELECT 1", check=False, database="postgres") == 0, 60)
        self._psql("CREATE DATABASE " + self.database, database="postgres")
        with open(os.path.join(HERE, "iceberg_jdbc_v1.sql")) as f:
            self._psql(f.read())

    def _psql(self, sql, check=True, database=None):
        done = subprocess.run(
            [os.path.join(self.bin_folder(), "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1",
             "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user,
             "-d", database or self.database, "-f", "-"],
            input=sql, capture_output=True, text=True, env=dict(os.environ, PGPASSWORD=self.password))
        if check and done.returncode:
            raise OracleError("psql failed: " + done.stderr)
        return done.returncode

    @property
    def dsn(self):
        return "postgresql://%s:%s@127.0.0.1:%d/%s" % (
            self.user, self.password, self.port, self.database)

    def stop(self):
        super().stop(signal.SIGINT)      # fast shutdown


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

    def __init__(self, folder, cache, postgres, s3, heap="2G", port=None):
        super().__init__("trino", os.path.join(folder, "trino.log"))
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
        for p in PLUGINS:       # the other fifty plugins only cost start-up time
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
        for name, props in self.catalogs().items():
            write("catalog/%s.properties" % name, ["%s=%s" % kv for kv in props.items()])
        env = dict(os.environ, JAVA_HOME=java, TZ="UTC")
        env["PATH"] = os.path.join(java, "bin") + ":" + env.get("PATH", "")
        self.spawn([os.path.join(home, "bin", "launcher"), "--etc-dir", etc,
                    "--data-dir", os.path.join(self.folder, "data"),
                    "--jvm-dir", java, "run"], env=env, cwd=self.folder)
        self.wait(lambda: trino_http.wait_ready(self.url, 2, self.alive), 180)
        session = trino_http.Session(self.url)
        self.wait(lambda: not trino_http.execute(session, "SELECT 1").error, 60)
