"""Records what real Trino says on the wire: one text file a scenario under tests/golden/protocol/.

A file is a sequence of exchanges: `> ` lines are the request as sent, `< ` lines the status and headers
of the answer, then the body, JSON indented. What differs from run to run is replaced by a name in
braces ({queryId}, {slug}, {server}, {uuid}, {instance}); long lists are cut with a note. Nothing else
is changed, so times and byte counts are one run's.
"""
import gzip
import http.client
import json
import os
import re
import time
import urllib.parse
import urllib.request

QUERY_ID = re.compile(r"\b\d{8}_\d{6}_\d{5}_[a-z0-9]{5}\b")
SLUG = re.compile(r"\b([xy])[0-9a-f]{40}\b")
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
MAX_ITEMS = 30          # of a list in a body
LINE = 100              # a JSON value that fits in this many characters stays on one line
MAX_STRING = 1200       # characters of one string in a body


class Recorder:
    def __init__(self, url, folder):
        self.url = url
        self.host = urllib.parse.urlsplit(url).netloc
        self.folder = folder
        with urllib.request.urlopen(url + "/v1/status") as resp:
            self.address = json.load(resp)["internalAddress"]
        self.out = None
        self.ids = {}

    def scenario(self, name, about):
        if self.out is not None:
            self.close()
        self.name, self.out, self.ids = name, ["# " + about, ""], {}

    def close(self):
        with open(os.path.join(self.folder, self.name + ".txt"), "w") as f:
            f.write("\n".join(self.out).rstrip("\n") + "\n")
        self.out = None

    def note(self, text):
        self.out += ["# " + text, ""]

    # -- one exchange --

    def exchange(self, method, target, headers=None, body=None, keep=None):
        """Sends and records; returns (status, headers, parsed body or text)."""
        path = target[len(self.url):] if target.startswith(self.url) else target
        headers = dict({"X-Trino-User": "alice"} if headers is None else headers)
        conn = http.client.HTTPConnection(self.host, timeout=120)
        conn.request(method, path, body=body.encode() if body is not None else None, headers=headers)
        resp = conn.getresponse()
        raw = resp.read()
        conn.close()
        self.out.append("> %s %s" % (method, self.clean(path)))
        self.out += ["> %s: %s" % (k, self.clean(v)) for k, v in headers.items()]
        if body is not None:
            self.out += [">"] + ["> " + line for line in body.split("\n")]
        self.out.append("< HTTP/1.1 %d %s" % (resp.status, resp.reason))
        self.out += ["< %s: %s" % (k, self.clean(v)) for k, v in resp.getheaders()
                     if k.lower() != "date"]
        if resp.getheader("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
            self.out.append("# (the body is gzip; shown decoded)")
        text = raw.decode("utf-8", "replace")
        doc = text
        try:
            doc = json.loads(text)
            shown = layout(trim(keep(doc) if keep else doc))
        except ValueError:
            shown = text[:2000]
        if shown:
            self.out.append(self.clean(shown))
        self.out.append("")
        return resp.status, resp.headers, doc

    def clean(self, text):
        text = text.replace(self.host, "{server}")
        text = text.replace(self.address, "{address}")
        text = QUERY_ID.sub(lambda m: self.named("queryId", m.group(0)), text)
        text = SLUG.sub(lambda m: m.group(1) + self.named("slug", m.group(0)), text)
        return UUID.sub(lambda m: self.named("uuid", m.group(0)), text)

    def named(self, kind, value):
        seen = self.ids.setdefault(kind, [])
        if value not in seen:
            seen.append(value)
        n = seen.index(value)
        return "{%s%s}" % (kind, n + 1 if n else "")

    def statement(self, sql, headers=None, limit=40, fold=True):
        """A statement to its end. Polls that only say QUEUED or RUNNING once more are folded."""
        head = dict({"X-Trino-User": "alice"}, **(headers or {}))
        status, rh, doc = self.exchange("POST", "/v1/statement", head, sql)
        hidden, all_headers = 0, [rh]
        for _ in range(limit * 20):
            if not isinstance(doc, dict) or not doc.get("nextUri"):
                break
            mark = len(self.out)
            before = doc
            status, rh, doc = self.exchange("GET", doc["nextUri"], head)
            all_headers.append(rh)
            same = isinstance(doc, dict) and doc.get("nextUri") and "data" not in doc and (
                doc["stats"]["state"] == before["stats"]["state"]) and (
                ("columns" in doc) == ("columns" in before)) and "error" not in doc
            if fold and same:
                del self.out[mark:]
                hidden += 1
            elif hidden:
                self.out[mark:mark] = ["# (%d more polls like the one before)" % hidden, ""]
                hidden = 0
        return doc, all_headers


def trim(value):
    if isinstance(value, dict):
        return {k: trim(v) for k, v in value.items()}
    if isinstance(value, list):
        cut = [trim(v) for v in value[:MAX_ITEMS]]
        if len(value) > MAX_ITEMS:
            cut.append("… %d more" % (len(value) - MAX_ITEMS))
        return cut
    if isinstance(value, str) and len(value) > MAX_STRING:
        return value[:MAX_STRING] + "…"
    return value


def layout(value, indent=0):
    """JSON indented by two, short values on one line: a page of columns stays readable."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= LINE or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        lines, packed = [], False       # packed: the last line takes more short members
        for k, v in value.items():
            part = json.dumps(k, ensure_ascii=False) + ": " + layout(v, indent + 2)
            short = not isinstance(v, (dict, list, str))
            if short and packed and len(lines[-1]) + len(part) + 2 <= LINE:
                lines[-1] += ", " + part
            else:
                lines.append(pad + part)
            packed = short
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + layout(v, indent + 2) for v in value) + "\n" + " " * indent + "]"


def record(url, folder):
    os.makedirs(folder, exist_ok=True)
    r = Recorder(url, folder)
    global trim
    plain_trim = trim

    def trim_stacks(value):
        if isinstance(value, dict) and isinstance(value.get("stack"), list):
            value = dict(value, stack=value["stack"][:2] + (
                ["… %d more" % (len(value["stack"]) - 2)] if len(value["stack"]) > 2 else []))
        if isinstance(value, dict):
            return {k: trim_stacks(v) for k, v in value.items()}
        return plain_trim(value)
    trim = trim_stacks
    try:
        scenarios(r)
    finally:
        trim = plain_trim
        if r.out is not None:
            r.close()


def poll_until(r, doc, headers, wanted):
    """GETs nextUri without recording until wanted(doc); returns that doc."""
    while not wanted(doc) and doc.get("nextUri"):
        req = urllib.request.Request(doc["nextUri"], headers=headers)
        with urllib.request.urlopen(req) as resp:
            doc = json.load(resp)
    return doc


def scenarios(r):
    user = {"X-Trino-User": "alice"}

    r.scenario("info", "Server information; no user needed")
    for path in ("/v1/info", "/v1/info/state", "/v1/info/coordinator", "/v1/status"):
        r.exchange("GET", path, {})
    r.exchange("HEAD", "/v1/status", {})
    r.exchange("GET", "/", {})
    r.exchange("GET", "/v1/nothing-here", user)

    r.scenario("select_one", "SELECT 1 from POST to the page without nextUri")
    r.statement("SELECT 1", fold=False)

    r.scenario("select_types", "Column types on the wire: type, typeSignature and how values are written")
    r.note("With the client capability PARAMETRIC_DATETIME (what the CLI, JDBC and Python send)")
    types = """SELECT true AS b, TINYINT '1' AS t, SMALLINT '2' AS s, 3 AS i, BIGINT '9007199254740993' AS l,
  REAL '1.5' AS r, 1e0 AS d, nan() AS n, -infinity() AS m, DECIMAL '12.340' AS dec, 'abc' AS v3,
  CAST('abc' AS varchar) AS v, CAST('a' AS char(3)) AS c, X'00ff' AS vb, DATE '2024-02-29' AS da,
  TIME '01:02:03.456' AS ti, TIME '01:02:03 +05:30' AS tiz, TIMESTAMP '2024-02-29 01:02:03.123456' AS ts,
  TIMESTAMP '2024-02-29 01:02:03 Europe/Berlin' AS tz, INTERVAL '1' DAY AS ds, INTERVAL '2' MONTH AS ym,
  ARRAY[1, NULL] AS a, MAP(ARRAY['k'], ARRAY[1]) AS ma, ROW(1, 'x') AS ro,
  CAST(ROW(1, 'x') AS ROW(a int, b varchar)) AS ron, JSON '{"a":1}' AS j,
  UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59' AS u, IPADDRESS '10.0.0.1' AS ip, NULL AS nul"""
    caps = {"X-Trino-Client-Capabilities": "PATH,PARAMETRIC_DATETIME,SESSION_AUTHORIZATION",
            "X-Trino-Time-Zone": "UTC"}
    last_only(r, types, dict(user, **caps))
    r.note("Without it: the timestamp types are named and cut to milliseconds")
    last_only(r, types, user)

    r.scenario("select_pages", "A result of many pages; data cut")
    r.statement("SELECT orderkey, comment FROM tpch.tiny.orders", dict(user, **{"X-Trino-Max-Size": "1MB"}))

    r.scenario("select_empty", "No rows: columns come, data never does")
    r.statement("SELECT name FROM tpch.tiny.nation WHERE false")

    r.scenario("ddl", "Statements without a result table, and the counts that writes report")
    for sql in ("CREATE SCHEMA memory.wire", "CREATE TABLE memory.wire.t (a integer, b varchar(5))",
                "INSERT INTO memory.wire.t VALUES (1, 'x'), (2, 'y')",
                "CREATE TABLE memory.wire.c AS SELECT * FROM tpch.tiny.region",
                "CREATE TABLE IF NOT EXISTS memory.wire.c AS SELECT * FROM tpch.tiny.region",
                "DROP TABLE memory.wire.t", "DROP TABLE memory.wire.c", "DROP SCHEMA memory.wire"):
        last_only(r, sql, user)

    r.scenario("use", "USE: the catalog and schema come back as headers")
    last_only(r, "USE tpch.tiny", user)
    last_only(r, "USE sf1", dict(user, **{"X-Trino-Catalog": "tpch", "X-Trino-Schema": "tiny"}))
    last_only(r, "USE sf1", user)
    last_only(r, "USE nowhere.tiny", user)
    last_only(r, "USE tpch.nowhere", user)

    r.scenario("set_session", "SET SESSION, RESET SESSION and what a client sends afterwards")
    last_only(r, "SET SESSION query_max_run_time = '10m'", user)
    last_only(r, "SET SESSION iceberg.target_max_file_size = '64MB'", user)
    last_only(r, "SHOW SESSION LIKE 'query_max_run%'",
              dict(user, **{"X-Trino-Session": "query_max_run_time=10m"}))
    last_only(r, "RESET SESSION query_max_run_time",
              dict(user, **{"X-Trino-Session": "query_max_run_time=10m"}))
    last_only(r, "SET SESSION nothing_like_it = 1", user)
    last_only(r, "SET SESSION query_max_run_time = 5", user)
    last_only(r, "SET SESSION query_max_run_time = 'soon'", user)
    last_only(r, "SELECT 1", dict(user, **{"X-Trino-Session": "nothing_like_it=1"}))
    last_only(r, "SELECT 1", dict(user, **{"X-Trino-Session": "malformed"}))

    r.scenario("set_more", "Other statements that change the session")
    last_only(r, "SET TIME ZONE 'Europe/Berlin'", user)
    last_only(r, "SET TIME ZONE LOCAL", user)
    last_only(r, "SET PATH tpch.tiny", user)
    last_only(r, "SET ROLE NONE", user)
    last_only(r, "SET ROLE admin IN iceberg", user)
    last_only(r, "SET SESSION AUTHORIZATION bob", user)
    last_only(r, "RESET SESSION AUTHORIZATION", user)

    r.scenario("prepare", "PREPARE, EXECUTE with the header that carries the statement, DEALLOCATE")
    last_only(r, "PREPARE q1 FROM SELECT name FROM tpch.tiny.nation WHERE nationkey = ? OR name = ?", user)
    prepared = {"X-Trino-Prepared-Statement":
                "q1=" + urllib.parse.quote_plus("SELECT name\nFROM\n  tpch.tiny.nation\nWHERE ((nationkey = ?) OR (name = ?))\n")}
    last_only(r, "EXECUTE q1 USING 3, 'BRAZIL'", dict(user, **prepared))
    last_only(r, "DESCRIBE INPUT q1", dict(user, **prepared))
    last_only(r, "DESCRIBE OUTPUT q1", dict(user, **prepared))
    last_only(r, "EXECUTE q1 USING 3", dict(user, **prepared))
    last_only(r, "DEALLOCATE PREPARE q1", dict(user, **prepared))
    last_only(r, "DEALLOCATE PREPARE q1", user)
    last_only(r, "EXECUTE nobody", user)
    last_only(r, "EXECUTE IMMEDIATE 'SELECT ? + 1' USING 41", user)

    r.scenario("transaction", "START TRANSACTION, a statement in it, COMMIT, ROLLBACK")
    _, heads = last_only(r, "START TRANSACTION READ ONLY", dict(user, **{"X-Trino-Transaction-Id": "NONE"}))
    tx = header(heads, "X-Trino-Started-Transaction-Id")
    last_only(r, "SELECT 1", dict(user, **{"X-Trino-Transaction-Id": tx}))
    last_only(r, "COMMIT", dict(user, **{"X-Trino-Transaction-Id": tx}))
    last_only(r, "SELECT 1", dict(user, **{"X-Trino-Transaction-Id": tx}))
    last_only(r, "COMMIT", user)
    r.note("Without X-Trino-Transaction-Id the client can't keep one")
    last_only(r, "START TRANSACTION", user)

    r.scenario("errors_sql", "Errors of a statement: HTTP 200, the error in the last page")
    for sql in ("SELEC 1", "SELECT nope FROM tpch.tiny.nation", "SELECT * FROM tpch.tiny.nope",
                "SELECT 1/0", "SELECT CAST('x' AS integer)", "SELECT orderkey/(orderkey - 7) FROM tpch.tiny.orders"):
        r.statement(sql)

    r.scenario("errors_http", "Errors of the protocol itself: plain HTTP statuses")
    r.exchange("POST", "/v1/statement", {}, "SELECT 1")
    r.exchange("POST", "/v1/statement", user, "")
    r.exchange("POST", "/v1/statement", user)
    r.exchange("GET", "/v1/statement", user)
    r.exchange("PUT", "/v1/statement", user, "SELECT 1")
    r.exchange("GET", "/v1/statement/queued/20200101_000000_00000_aaaaa/y0123456789012345678901234567890123456789/1", user)
    r.exchange("GET", "/v1/statement/executing/20200101_000000_00000_aaaaa/y0123456789012345678901234567890123456789/1", user)
    r.note("A bad zone is only found by the query")
    last_only(r, "SELECT 1", dict(user, **{"X-Trino-Time-Zone": "Mars/Olympus"}))
    r.exchange("POST", "/v1/statement", dict(user, **{"X-Trino-Schema": "tiny"}), "SELECT 1")
    r.exchange("POST", "/v1/statement", dict(user, **{"X-Trino-Transaction-Id": "not-one"}), "SELECT 1")
    r.exchange("POST", "/v1/statement", dict(user, **{"X-Trino-Prepared-Statement": "broken"}), "SELECT 1")
    r.exchange("POST", "/v1/statement", dict(user, **{"X-Trino-Client-Info": "c", "X-Trino-Client-Tags": "a,b",
               "X-Trino-Resource-Estimate": "nonsense"}), "SELECT 1")
    r.exchange("POST", "/v1/statement", {"X-Presto-User": "alice"}, "SELECT 1")
    r.exchange("POST", "/v1/statement", {"Authorization": "Basic YWxpY2U6"}, "SELECT 1")
    r.exchange("POST", "/v1/statement", {"Authorization": "Basic YWxpY2U6c2VjcmV0"}, "SELECT 1")

    r.scenario("tokens", "nextUri is asked again, too early, too late, with a wrong slug")
    _, _, doc = r.exchange("POST", "/v1/statement", user, "SELECT name FROM tpch.tiny.region")
    first = doc["nextUri"]
    doc = poll_until(r, doc, user, lambda d: "executing" in d.get("nextUri", "") and d.get("columns"))
    r.note("(polls until the first page with columns are left out)")
    if doc.get("nextUri"):
        uri = doc["nextUri"]
        r.exchange("GET", uri, user)
        r.note("the same token again: the last page is sent again")
        r.exchange("GET", uri, user)
        base, token = uri.rsplit("/", 1)
        r.note("a token that is long gone")
        r.exchange("GET", base + "/0", user)
        r.note("a token that is not there yet")
        r.exchange("GET", base + "/%d" % (int(token) + 50), user)
        r.note("not a number")
        r.exchange("GET", base + "/x", user)
        slug = base.rsplit("/", 1)
        r.note("a wrong slug")
        r.exchange("GET", "%s/y%s/%s" % (slug[0], "0" * 40, token), user)
    r.note("the queued URI after the query left the queue")
    r.exchange("GET", first, user)

    r.scenario("cancel", "DELETE nextUri while the query runs, and what its reader sees then")
    long = "SELECT count(*) FROM tpch.sf100.lineitem l1 JOIN tpch.sf100.lineitem l2 ON l1.comment = l2.comment"
    _, _, doc = r.exchange("POST", "/v1/statement", user, long)
    r.note("still queued: DELETE of the queued nextUri")
    r.exchange("DELETE", doc["nextUri"], user)
    r.exchange("GET", doc["nextUri"], user)
    _, _, doc = r.exchange("POST", "/v1/statement", user, long)
    doc = poll_until(r, doc, user, lambda d: d["stats"]["state"] == "RUNNING")
    r.note("(polls until RUNNING are left out) DELETE of the executing nextUri")
    r.exchange("DELETE", doc["nextUri"], user)
    r.exchange("GET", doc["nextUri"], user)
    r.exchange("DELETE", doc["nextUri"], user)
    r.note("DELETE /v1/query/{id}: what the UI and administrators do")
    _, _, doc = r.exchange("POST", "/v1/statement", user, long)
    doc = poll_until(r, doc, user, lambda d: d["stats"]["state"] == "RUNNING")
    r.exchange("DELETE", "/v1/query/" + doc["id"], user)
    r.exchange("GET", doc["nextUri"], user)
    r.exchange("DELETE", "/v1/query/20200101_000000_00000_aaaaa", user)
    r.note("partialCancelUri")
    _, _, doc = r.exchange("POST", "/v1/statement", user, long)
    doc = poll_until(r, doc, user, lambda d: d.get("partialCancelUri"))
    r.exchange("DELETE", doc["partialCancelUri"], user)
    r.exchange("GET", doc["nextUri"], user)
    r.exchange("DELETE", doc["nextUri"], user)

    r.scenario("running_stats", "A query at work: stats with progress, stages and the fields the CLI's bar reads")
    _, _, doc = r.exchange("POST", "/v1/statement", user,
                           "SELECT returnflag, count(*) FROM tpch.sf1.lineitem GROUP BY returnflag ORDER BY 1")
    doc = poll_until(r, doc, user, lambda d: d["stats"].get("progressPercentage", 0) > 5)
    r.note("(earlier polls are left out)")
    for _ in range(2):
        if doc.get("nextUri"):
            _, _, doc = r.exchange("GET", doc["nextUri"], user)
            time.sleep(0.3)
    doc = poll_until(r, doc, user, lambda d: not d.get("nextUri"))
    query_id = doc["id"]

    r.scenario("query_info", "GET /v1/query: the list and one query, cut")
    r.exchange("GET", "/v1/query", user, keep=lambda d: d[:2])
    r.exchange("GET", "/v1/query/" + query_id, user, keep=cut_query_info)
    r.exchange("GET", "/v1/query/" + query_id + "?pruned=true", user, keep=cut_query_info)
    r.exchange("GET", "/v1/query/20200101_000000_00000_aaaaa", user)
    r.exchange("GET", "/v1/queryState", user, keep=lambda d: d[:2] if isinstance(d, list) else d)

    r.scenario("ui", "The web UI's login and the JSON behind its pages")
    r.exchange("GET", "/ui/", {})
    r.exchange("GET", "/ui/login.html", {}, keep=None)
    _, heads, _ = r.exchange("POST", "/ui/login", {"Content-Type": "application/x-www-form-urlencoded"},
                             "username=alice&password=&redirectPath=")
    cookie = (heads.get("Set-Cookie") or "").split(";")[0]
    secret = cookie.partition("=")[2]
    for path in ("/ui/api/stats", "/ui/api/cluster", "/ui/api/query", "/ui/api/query/" + query_id, "/ui/api/worker"):
        keep = cut_query_info if path.endswith(query_id) else (lambda d: d[:1] if isinstance(d, list) else d)
        r.exchange("GET", path, {"Cookie": cookie}, keep=keep)
    r.exchange("GET", "/ui/api/stats", {})
    if secret:
        r.out = [line.replace(secret, "{token}") for line in r.out]

    r.scenario("encoding", "Content coding and the spooling negotiation with a server that does not spool")
    last_only(r, "SELECT * FROM tpch.tiny.region", dict(user, **{"Accept-Encoding": "gzip"}))
    last_only(r, "SELECT 1", dict(user, **{"X-Trino-Query-Data-Encoding": "json+zstd,json+lz4,json"}))

    r.scenario("params", "Headers that change the session of one statement")
    last_only(r, "SELECT current_user, current_timezone(), current_catalog, current_schema", {
        "X-Trino-User": "alice", "X-Trino-Time-Zone": "America/New_York", "X-Trino-Catalog": "tpch",
        "X-Trino-Schema": "tiny", "X-Trino-Source": "recorder", "X-Trino-Client-Info": "info",
        "X-Trino-Client-Tags": "a,b", "X-Trino-Language": "de-DE", "X-Trino-Trace-Token": "t-1",
        "X-Trino-Extra-Credential": "a=b", "X-Trino-Resource-Estimate": "EXECUTION_TIME=5s"})
    last_only(r, "SELECT current_user", {"X-Trino-User": "alice", "X-Trino-Original-User": "bob"})
    r.close()


def last_only(r, sql, headers):
    """Records the POST and the page that carries something; the empty polls between are left out."""
    head = dict(headers)
    status, rh, doc = r.exchange("POST", "/v1/statement", head, sql)
    all_headers, hidden = [rh], 0
    while isinstance(doc, dict) and doc.get("nextUri"):
        mark = len(r.out)
        status, rh, doc = r.exchange("GET", doc["nextUri"], head)
        all_headers.append(rh)
        session = [k for k in rh.keys() if k.lower().startswith("x-trino-")]
        dull = isinstance(doc, dict) and doc.get("nextUri") and not session and not (
            {"data", "error", "updateType"} & doc.keys())
        if dull:
            del r.out[mark:]
            hidden += 1
        elif hidden:
            r.out[mark:mark] = ["# (%d polls without data are left out)" % hidden, ""]
            hidden = 0
    return doc, all_headers


def header(all_headers, name):
    for h in all_headers:
        if h.get(name):
            return h[name]
    return None


def cut_query_info(doc):
    """A query info has thousands of lines: the top level in full, below it only a taste."""
    def cut(value, depth):
        if isinstance(value, dict):
            if depth <= 0 and len(value) > 6:
                keys = list(value)
                return {**{k: cut(value[k], depth - 1) for k in keys[:6]}, "…": "%d more fields" % (len(keys) - 6)}
            return {k: cut(v, depth - 1) for k, v in value.items()}
        if isinstance(value, list):
            return [cut(v, depth - 1) for v in value[:1]] + (["… %d more" % (len(value) - 1)] if len(value) > 1 else [])
        return value
    if not isinstance(doc, dict):
        return doc
    return {k: (v if k in ("queryStats", "session") else cut(v, 1)) if k != "queryStats"
            else {a: cut(b, 0) for a, b in v.items()} for k, v in doc.items()}
