"""Reads DAG files: a process that has imported Airflow once and forks for each file, so that a file leaves nothing behind.

Lines of JSON come in on standard input and go out on standard output:

    in   {"parse": PATH below the bundle, "bundle": NAME, "folder": PATH, "timeout": SECONDS}
    out  {"ready": true}
         {"parsed": PATH, "dags": [{"dag": the serialized document, "summary": …, "description": …}, …], "errors": TEXT or null}
"""
import json
import os
import select
import signal
import sys
import traceback

import ctypes

ANSWER_MAX = 64 << 20


def die_with_parent():
    parent = os.getppid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent or parent == 1:
        os._exit(1)


def parse(message):
    """In the child: what one file defines."""
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.serialization.serialized_objects import DagSerialization

    path = os.path.join(message["folder"], message["parse"])
    bag = BundleDagBag(path, bundle_path=message["folder"], bundle_name=message["bundle"], collect_dags=False)
    bag.process_file(path, only_if_updated=False, safe_mode=False)
    errors, dags = dict(bag.import_errors), []
    for dag in bag.dags.values():
        try:
            document = DagSerialization.to_dict(dag)
            dags.append({"dag": document, "summary": dag.timetable_summary if hasattr(dag, "timetable_summary") else None})
        except Exception:
            errors[message["parse"]] = traceback.format_exc(limit=3)
    return {"parsed": message["parse"], "dags": dags, "errors": "\n".join(errors.values()) or None}


def in_child(message):
    """Forks, parses there, and gives back the answer's bytes; a child that dies or takes too long is an error of the file."""
    receive, give = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            os.close(receive)
            os.dup2(2, 1)
            answer = parse(message)
        except BaseException:       # also SystemExit of a careless file
            answer = {"parsed": message["parse"], "dags": [], "errors": traceback.format_exc()}
        try:
            with os.fdopen(give, "wb") as f:
                f.write(json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(give)
    text, deadline = b"", message.get("timeout", 30)
    reason = None
    while reason is None:
        ready, _, _ = select.select([receive], [], [], deadline)
        if not ready:
            reason = "Timeout: the file took more than %s s to import" % deadline
            break
        piece = os.read(receive, 1 << 16)
        if not piece:
            break
        text += piece
        if len(text) > ANSWER_MAX:
            reason = "The file's DAGs are larger than %d bytes" % ANSWER_MAX
    os.close(receive)
    if reason:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not text and reason is None:
        reason = "The process that imported the file died (wait status %d)" % status
    if reason:
        return json.dumps({"parsed": message["parse"], "dags": [], "errors": reason}).encode()
    return text


def main():
    die_with_parent()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import airflow.dag_processing.dagbag  # noqa: F401
    import airflow.serialization.serialized_objects  # noqa: F401

    out.write(b'{"ready": true}\n')
    out.flush()
    for line in sys.stdin.buffer:
        out.write(in_child(json.loads(line)) + b"\n")
        out.flush()


main()
