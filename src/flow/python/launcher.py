"""Runs tasks: a process that has imported the Task SDK once and forks for each task.

Lines of JSON come in on standard input and go out on standard output:

    in   {"run": ID, "workload": {ti, dag_rel_path, bundle_info, token, log_path}, "server": URL}
         {"kill": ID}
    out  {"ready": true}  {"started": ID, "pid": N}  {"ended": ID, "code": N, "signal": N}

The token and the workload reach the child through memory, never through arguments or the environment. A child dies with
this process, and this one with the service.
"""
import ctypes
import json
import os
import select
import signal
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    parent = os.getppid()
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent or parent == 1:
        os._exit(1)


def say(out, **message):
    out.write(json.dumps(message) + "\n")
    out.flush()


def run_task(message):
    """In the child: the SDK's supervisor, which forks once more for the user's code."""
    from airflow.sdk.api.datamodels._generated import BundleInfo, TaskInstance
    from airflow.sdk.execution_time.supervisor import supervise_task

    os.register_at_fork(after_in_child=die_with_parent)     # the user's code goes with the supervisor
    work = message["workload"]
    return supervise_task(ti=TaskInstance.model_validate(work["ti"]), bundle_info=BundleInfo(**work["bundle_info"]),
                          dag_rel_path=work["dag_rel_path"], token=work["token"], server=message["server"],
                          log_path=work["log_path"])


class Launcher:
    def __init__(self, out):
        self.out, self.children = out, {}       # pid: id

    def start(self, message):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                die_with_parent()
                os.setpgid(0, 0)
                for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_DFL)
                signal.set_wakeup_fd(-1)
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, 0)
                os.dup2(2, 1)       # what a task prints by itself goes to the service's log
                code = run_task(message)
            except BaseException as e:      # the process ends here whatever it was
                sys.stderr.write("%s: %s: %s\n" % (message["run"], type(e).__name__, e))
            finally:
                sys.stderr.flush()
                os._exit(code if isinstance(code, int) and 0 <= code < 256 else 1)
        self.children[pid] = message["run"]
        say(self.out, started=message["run"], pid=pid)

    def kill(self, message):
        for pid, ident in self.children.items():
            if ident == message["kill"]:
                os.kill(pid, signal.SIGTERM)

    def reap(self):
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            ident = self.children.pop(pid, None)
            if ident is None:
                continue
            killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            say(self.out, ended=ident, code=0 if killed else os.WEXITSTATUS(status), signal=killed)

    def handle(self, line):
        message = json.loads(line)
        if "run" in message:
            self.start(message)
        elif "kill" in message:
            self.kill(message)


def main():
    die_with_parent()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import airflow.sdk.execution_time.supervisor  # noqa: F401  what every task needs
    import airflow.dag_processing.dagbag  # noqa: F401
    import airflow.sdk.execution_time.task_runner  # noqa: F401

    wake, woken = os.pipe()
    for fd in (wake, woken):
        os.set_blocking(fd, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    launcher, rest = Launcher(out), b""
    say(out, ready=True)
    while True:
        readable, _, _ = select.select([0, wake], [], [])
        if wake in readable:
            os.read(wake, 512)
            launcher.reap()
        if 0 in readable:
            piece = os.read(0, 1 << 16)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                launcher.handle(line)


main()
