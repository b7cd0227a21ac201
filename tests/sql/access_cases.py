"""The cases of tests/golden/access: statements of users whom the rules there let do this and not that.

Each has the answer that real Trino gave under the same rules (tests/oracle/run --only access records them).
"""
import json
import os

import trino_http

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "access")
FILE = os.path.join(FOLDER, "cases.json")


def load():
    with open(FILE) as f:
        return json.load(f)


def save(document):
    with open(FILE, "w") as f:
        f.write("{\n \"setup\": %s,\n \"cases\": [\n" % json.dumps(document["setup"], indent=2))
        f.write(",\n".join("  " + json.dumps(c, ensure_ascii=False) for c in document["cases"]))
        f.write("\n ]\n}\n")


def prepare(url):
    """The schemas and tables that the cases are about."""
    admin = trino_http.Session(url, user="admin")
    for sql in load()["setup"]:
        trino_http.query(admin, sql)


class Session(trino_http.Session):
    """Who was somebody else before."""

    original = None

    def headers(self):
        out = super().headers()
        if self.original:
            out["X-Trino-Original-User"] = self.original
        return out


def answer(url, case):
    session = Session(url, user=case["user"])
    session.original = case.get("original")
    session.properties.update(case.get("properties", {}))
    result = trino_http.execute(session, case["sql"])
    if result.error:
        return {"error": result.error["errorName"], "code": result.error["errorCode"],
                "message": result.error["message"]}
    out = {}
    if result.columns is not None:
        out["columns"] = ["%s %s" % c for c in result.columns]
        out["rows"] = result.rows
    if result.update_type:
        out["update"] = result.update_type
    return out
