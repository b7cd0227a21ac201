#!/usr/bin/env python3
"""A private PostgreSQL from Debian's package, below a temporary folder.

    tests/lib/pg.py COMMAND …     runs the command with PG_CONNINFO and PG_PASSWORD set to a fresh server's, or
                                  without them when PostgreSQL isn't installed
"""
import glob
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from proc import Server, ServerError, free_port  # noqa: E402


class Postgres(Server):
    """A private cluster, superuser `iceberg`, an empty database `iceberg`; TCP and a unix socket."""

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
        raise ServerError("PostgreSQL's server programs are missing; install the package postgresql")

    def start(self):
        bindir = self.bin_folder()
        as_user = {}
        os.makedirs(self.data, mode=0o700)
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root; Debian's package made this account for it.
            try:
                account = pwd.getpwnam("postgres")
            except KeyError:
                raise ServerError("root can't run PostgreSQL and there is no user postgres")
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
            raise ServerError("initdb failed:\n" + done.stdout + done.stderr)
        self.spawn([os.path.join(bindir, "postgres"), "-D", self.data, "-p", str(self.port),
                    "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + self.data,
                    "-c", "fsync=off", "-c", "max_connections=100"], cwd="/", **as_user)
        self.wait(lambda: self.psql("SELECT 1", check=False, database="postgres") == 0, 60)
        self.psql("CREATE DATABASE " + self.database, database="postgres")

    def psql(self, sql, check=True, database=None):
        done = subprocess.run(
            [os.path.join(self.bin_folder(), "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1",
             "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user,
             "-d", database or self.database, "-f", "-"],
            input=sql, capture_output=True, text=True, env=dict(os.environ, PGPASSWORD=self.password))
        if check and done.returncode:
            raise ServerError("psql failed: " + done.stderr)
        return done.returncode

    @property
    def conninfo(self):
        return "host=127.0.0.1 port=%d user=%s dbname=%s" % (self.port, self.user, self.database)

    @property
    def socket_conninfo(self):
        return "host=%s port=%d user=%s dbname=%s" % (self.data, self.port, self.user, self.database)

    @property
    def dsn(self):
        return "postgresql://%s:%s@127.0.0.1:%d/%s" % (
            self.user, self.password, self.port, self.database)

    def stop(self):
        super().stop(signal.SIGINT)      # fast shutdown


def main():
    env = dict(os.environ)
    try:
        Postgres.bin_folder()
    except ServerError as e:
        print("# " + str(e), flush=True)
        return subprocess.run(sys.argv[1:], env=env).returncode
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)     # the server's user has to get through
        server = Postgres(folder)
        try:
            server.start()
            env.update(PG_CONNINFO=server.conninfo, PG_SOCKET_CONNINFO=server.socket_conninfo,
                       PG_PASSWORD=server.password)
            return subprocess.run(sys.argv[1:], env=env).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
