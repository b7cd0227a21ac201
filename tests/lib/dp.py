"""A platform of a test's own, and the lines that a suite prints.

    import dp

    with dp.Platform() as p:
        dp.check("answers", p.query("SELECT 1"), [[1]])
    dp.done()

The program is the one that the environment's DATAPLATFORM names, state goes below TEST_TMP, ports are free ones.
A suite that gets SIGTERM stops its platforms.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

from proc import free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program():
    found = os.environ.get("DATAPLATFORM") or os.path.join(ROOT, "build-asan", "dataplatform")
    if not os.path.exists(found):
        sys.exit("no program %s: build it, or name another in DATAPLATFORM" % found)
    return found


def temp_folder(prefix="dp-"):
    return tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("TEST_TMP"))


class Failed(Exception):
    """A command of the program failed; carries what it printed."""

    def __init__(self, args, result):
        super().__init__("dataplatform %s ended with %d\n%s%s" % (
            " ".join(args), result.returncode, result.stdout, result.stderr))
        self.code, self.stdout, self.stderr = result.returncode, result.stdout, result.stderr


def s3_client(url, access_key, secret_key, verify=None, **kw):
    """A boto3 client that tries once; kw goes to botocore's Config."""
    import boto3
    import botocore.config
    config = botocore.config.Config(**{"s3": {"addressing_style": "path"}, "retries": {"total_max_attempts": 1}, **kw})
    return boto3.client("s3", endpoint_url=url, verify=verify, region_name="us-east-1", aws_access_key_id=access_key,
                        aws_secret_access_key=secret_key, config=config)


_running = set()


def _stop_all(*_):
    for p in list(_running):
        try:
            p.down()
        except Exception as e:      # on the way out: say it, go on with the others
            print("# %s: %s" % (p.folder, e), flush=True)
    sys.exit(1)


signal.signal(signal.SIGTERM, _stop_all)


class Platform:
    """One platform in a folder of its own.

    spec      text or dict of platform.yaml; without ports in it, free ones are chosen. None: only ports.
    folder    where platform.yaml and data/ are; None: a new temporary one, removed at the end
    env       more environment for its processes
    ca        with TLS: what clients trust; the platform's own CA otherwise
    """

    def __init__(self, spec=None, folder=None, env=None, ca=None):
        self.own_folder = folder is None
        self.tls = bool(isinstance(spec, dict) and spec.get("tls", "off") != "off")
        self.folder = folder or temp_folder()
        self.env = dict(os.environ, **(env or {}))
        self.store_port, self.sql_port, self.identity_port = free_port(), free_port(), free_port()
        self.file = os.path.join(self.folder, "platform.yaml")
        self.data = os.path.join(self.folder, "data")
        self.ca = ca or os.path.join(self.data, "tls", "ca.pem")
        os.makedirs(self.folder, exist_ok=True)
        self.write_spec(spec)

    def write_spec(self, spec=None):
        """Writes platform.yaml; a text may use {store_port}, {sql_port} and {identity_port}, a dict gets them where it
        has none."""
        if isinstance(spec, str):
            text = spec
            for name in ("store_port", "sql_port", "identity_port"):
                text = text.replace("{%s}" % name, str(getattr(self, name)))
        else:
            spec = json.loads(json.dumps(spec or {}))
            services = spec.setdefault("services", {})
            self.store_port = services.setdefault("store", {}).setdefault("port", self.store_port)
            self.sql_port = services.setdefault("sql", {}).setdefault("port", self.sql_port)
            self.identity_port = services.setdefault("identity", {}).setdefault("port", self.identity_port)
            text = json.dumps(spec, indent=2)        # JSON is YAML
        with open(self.file, "w") as f:
            f.write(text + "\n")

    # --- the program ---

    def run(self, *args, check=True, timeout=240, stdin=None):
        """Runs a command of the program in the platform's folder; a CompletedProcess with texts."""
        result = subprocess.run([program()] + list(args), cwd=self.folder, env=self.env, text=True, timeout=timeout,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        if check and result.returncode:
            raise Failed(args, result)
        return result

    def up(self):
        _running.add(self)
        self.run("up")
        return self

    def down(self):
        self.run("down")
        _running.discard(self)

    def restart(self, service=None):
        self.run("restart", *([service] if service else []))

    def status(self):
        """{"running": …, "healthy": …, "services": [{"name": …, "pid": …, "state": …}, …]}"""
        return json.loads(self.run("status", "-o", "json", check=False).stdout)

    def service(self, name):
        return next(s for s in self.status()["services"] if s["name"] == name)

    def pid(self, service):
        return self.service(service)["pid"]

    def kill(self, service, sig=signal.SIGKILL):
        """Sends a signal to a service's process (or to `supervisor`); returns the pid that it had."""
        pid = self.status()["supervisor"]["pid"] if service == "supervisor" else self.pid(service)
        os.kill(pid, sig)
        return pid

    def wait_healthy(self, timeout=60):
        """Until all services answer: after a kill."""
        import time
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            status = self.status()
            if status["healthy"]:
                return status
            time.sleep(0.05)
        raise AssertionError("not healthy within %d s: %s\n%s" % (timeout, status, self.logs()))

    def logs(self, service=None, lines=1000):
        return self.run("logs", "-n", str(lines), *([service] if service else []), check=False).stdout

    def secret(self, name):
        return self.run("secrets", "show", name).stdout.strip()

    def __enter__(self):
        try:
            return self.up()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, kind, value, trace):
        if kind is not None and os.path.isdir(self.data):
            print("# the logs of %s:\n%s" % (self.folder, self.logs(lines=40)), flush=True)
        if self in _running:
            try:
                self.down()
            finally:
                self._check_sanitizers()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _check_sanitizers(self):
        """What ASan, UBSan or LeakSanitizer said in a log is a failure of the suite."""
        folder = os.path.join(self.data, "logs")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), errors="replace") as f:
                text = f.read()
            for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:"):
                if mark in text:
                    at = text.index(mark)
                    fail("no sanitizer complains in %s" % name, text[max(0, at - 200):at + 4000])
                    break

    # --- clients ---

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def store_url(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self.store_port)

    @property
    def sql_url(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self.sql_port)

    @property
    def identity_url(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self.identity_port)

    def s3(self, user="trino", **kw):
        """A boto3 client of a user; kw goes to botocore's Config."""
        return s3_client(self.store_url, user, self.secret("store/users/%s/secret-key" % user),
                         verify=self.ca if self.tls else None, **kw)

    def trino(self, **kw):
        """A connection of the Python client trino."""
        import trino
        return trino.dbapi.connect(**{"host": "127.0.0.1", "port": self.sql_port, "user": "test",
                                      "http_scheme": self.scheme, "verify": self.ca if self.tls else True, **kw})

    def query(self, sql, **kw):
        """All rows of a statement, as lists."""
        connection = self.trino(**kw)
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [list(row) for row in cursor.fetchall()]
        finally:
            connection.close()


# --- what a suite prints ---

_counts = {"ok": 0, "FAIL": 0, "skip": 0}


def ok(name):
    _counts["ok"] += 1
    print("ok   " + name, flush=True)


def fail(name, why=""):
    _counts["FAIL"] += 1
    print("FAIL " + name, flush=True)
    for line in str(why).splitlines():
        print("     " + line, flush=True)


def skip(name, why):
    _counts["skip"] += 1
    print("skip %s: %s" % (name, why), flush=True)


def add_counts(passed, failed, skipped):
    """Adds what a program that counts for itself has counted."""
    _counts["ok"] += passed
    _counts["FAIL"] += failed
    _counts["skip"] += skipped


def check(name, got, want=True):
    """Equal, or the difference is printed."""
    if got == want:
        ok(name)
        return True
    fail(name, "expected %r\nfound    %r" % (want, got))
    return False


def case(function):
    """A decorator: runs the function now as the test that its name (or docstring) states; any exception is a
    failure. dp.Skip(why) skips."""
    name = (function.__doc__ or function.__name__.replace("_", " ")).strip().split("\n")[0]
    try:
        function()
    except Skip as e:
        skip(name, e)
    except Exception:
        fail(name, traceback.format_exc())
    else:
        ok(name)
    return function


class Skip(Exception):
    pass


def done():
    """The closing line; ends the suite."""
    print("%d passed, %d failed, %d skipped" % (_counts["ok"], _counts["FAIL"], _counts["skip"]), flush=True)
    sys.exit(1 if _counts["FAIL"] or not _counts["ok"] else 0)
