"""The corpus: files of named cases, their golden answers, and what it means that an answer is the same.

A file in cases/ is one topic:

    -- session: catalog=tpch, schema=tiny          for the whole file, or inside a case for that case
    -- case: name                                  lower case, unique in the file
    SELECT 1;                                      a line that ends in `;` ends a statement
    -- case: other | unordered
    CREATE TABLE …;                                several statements share one session, which starts
    SELECT …;                                      fresh with each case

Session keys: catalog, schema, zone, user. Options after `|`, several with commas:

    ordered / unordered   how rows are compared; else ordered when the statement has a top-level ORDER
                          BY or is not a query (SHOW, DESCRIBE, …), as a multiset otherwise
    tolerance=0.05        relative, for numbers of every type (approx_distinct)
    types                 only column names and types are compared, not rows
    succeeds              only that it succeeds (EXPLAIN)
    anymessage            of an error all but the message text
    mask=REGEX            what it matches in strings becomes *** on both sides; no commas in it

Golden answers are in the file beside it, NAME.golden: JSON, and in it a hash of each statement, so
that a changed statement can't be judged by an old answer.
"""
import collections
import fnmatch
import hashlib
import json
import os
import re

import trino_http

# Sums of doubles depend on the order of addition, which no engine promises; 1e-9 is a thousand times
# the worst that sf1 shows between two runs and far below any wrong answer.
TOLERANCE = {"double": 1e-9, "real": 1e-5}

Case = collections.namedtuple("Case", "topic name statements options session line")


class CorpusError(Exception):
    pass


OPTIONS = {"ordered", "unordered", "types", "succeeds", "anymessage", "tolerance", "mask"}


def parse_pairs(text, where):
    out = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, _, value = part.partition("=")
        out[key.strip()] = value.strip() or True
    return out


def load(path):
    topic = os.path.splitext(os.path.basename(path))[0]
    cases, file_session, current, seen = [], {}, None, set()

    def finish():
        if current is None:
            return
        text = "\n".join(current["lines"])
        statements = [s.strip() for s in re.split(r";[ \t]*(?:\n|$)", text)]
        statements = [s for s in statements if s]
        if not statements:
            raise CorpusError("%s:%d: case without a statement" % (path, current["line"]))
        cases.append(Case(topic, current["name"], statements, current["options"],
                          dict(file_session, **current["session"]), current["line"]))

    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            where = "%s:%d" % (path, number)
            m = re.match(r"-- case: *([^|]*?) *(?:\|(.*))?$", line)
            if m:
                finish()
                name, options = m.group(1), parse_pairs(m.group(2) or "", where)
                if not re.fullmatch(r"[a-z0-9_]+", name) or name in seen:
                    raise CorpusError("%s: bad or repeated case name %r" % (where, name))
                if set(options) - OPTIONS:
                    raise CorpusError("%s: unknown option %s" % (where, set(options) - OPTIONS))
                seen.add(name)
                current = {"name": name, "options": options, "lines": [], "session": {}, "line": number}
                continue
            m = re.match(r"-- session: *(.*)$", line)
            if m:
                pairs = parse_pairs(m.group(1), where)
                if set(pairs) - {"catalog", "schema", "zone", "user"}:
                    raise CorpusError("%s: unknown session key in %r" % (where, line))
                (file_session if current is None else current["session"]).update(pairs)
                continue
            if current is not None:
                current["lines"].append(line)
            elif line.strip() and not line.startswith("--"):
                raise CorpusError("%s: text before the first case" % where)
    finish()
    return cases


def load_all(folder, topics=None, names=None):
    """Cases by topic, filtered by globs."""
    out = collections.OrderedDict()
    for entry in sorted(os.listdir(folder)):
        topic, ext = os.path.splitext(entry)
        if ext != ".sql" or topics and not any(fnmatch.fnmatch(topic, t) for t in topics):
            continue
        cases = load(os.path.join(folder, entry))
        if names:
            cases = [c for c in cases if any(fnmatch.fnmatch(c.name, n) for n in names)]
        if cases:
            out[topic] = cases
    return out


def is_ordered(sql):
    """Whether the rows come in an order that the statement fixes."""
    text = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", " ", sql, flags=re.S)
    if not re.match(r"\s*\(*\s*(select|with|values|table|execute)\b", text, re.I):
        return True
    if re.match(r"\s*execute\b", text, re.I):
        return True
    depth, flat = 0, []
    for ch in text:
        depth += (ch == "(") - (ch == ")")
        if depth == 0:
            flat.append(ch)
    return re.search(r"\border\s+by\b", "".join(flat), re.I) is not None


def new_session(url, case_session, **kw):
    return trino_http.Session(url, user=case_session.get("user", "test"),
                              catalog=case_session.get("catalog"), schema=case_session.get("schema"),
                              time_zone=case_session.get("zone", "UTC"), **kw)


def answer_of(result):
    """What is compared, and what a golden file holds, of one statement's result."""
    if result.error is not None:
        e = result.error
        loc = e.get("errorLocation")
        return {"error": {"name": e.get("errorName"), "code": e.get("errorCode"),
                          "type": e.get("errorType"), "message": e.get("message"),
                          "location": [loc["lineNumber"], loc["columnNumber"]] if loc else None}}
    out = {}
    if result.update_type is not None:
        out["update"] = [result.update_type, result.update_count]
    out["columns"] = [list(c) for c in result.columns] if result.columns is not None else None
    out["rows"] = result.rows
    return out


def run_case(url, case, timeout=120, **kw):
    """The answers to a case's statements; it goes on after an error, as a script would not, because
    cleaning up comes last in a case."""
    session = new_session(url, case.session, **kw)
    return [answer_of(trino_http.execute(session, s, timeout=timeout)) for s in case.statements]


# --- comparing ---

def masked(value, pattern):
    if isinstance(value, str):
        return re.sub(pattern, "***", value)
    if isinstance(value, list):
        return [masked(v, pattern) for v in value]
    if isinstance(value, dict):
        return {k: masked(v, pattern) for k, v in value.items()}
    return value


def same_value(a, b, tolerance):
    """tolerance: relative, for floats; with `all_numbers` for integers too."""
    rel, all_numbers = tolerance
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        if a == b:
            return True
        if isinstance(a, int) and isinstance(b, int) and not all_numbers:
            return False
        return abs(a - b) <= rel * max(abs(a), abs(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_value(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_value(a[k], b[k], tolerance) for k in a)
    return type(a) is type(b) and a == b


def sort_key(row):
    """Brings equal rows together although floats differ in their last digits."""
    def soft(v):
        if isinstance(v, float):
            return "%.6e" % v
        if isinstance(v, list):
            return [soft(x) for x in v]
        if isinstance(v, dict):
            return sorted((k, soft(x)) for k, x in v.items())
        return v
    return json.dumps(soft(row), sort_keys=True, ensure_ascii=False)


def column_tolerance(type_name, options):
    if "tolerance" in options:
        return float(options["tolerance"]), True
    return TOLERANCE["real" if "real" in type_name else "double"], False


def compare(want, got, sql, options):
    """None when the same, else a text that says what differs."""
    if "mask" in options:
        want, got = masked(want, options["mask"]), masked(got, options["mask"])
    if "error" in want or "error" in got:
        we, ge = want.get("error"), got.get("error")
        if we is None:
            return "expected an answer, got the error %s" % json.dumps(ge, ensure_ascii=False)
        if ge is None:
            return "expected the error %s, got an answer" % json.dumps(we, ensure_ascii=False)
        fields = [f for f in ("name", "code", "type", "message", "location")
                  if not (f == "message" and "anymessage" in options)]
        bad = [f for f in fields if we.get(f) != ge.get(f)]
        return None if not bad else "\n".join(
            "error %s: expected %s\n%sgot %s" % (
                f, json.dumps(we.get(f), ensure_ascii=False), " " * (len(f) + 10),
                json.dumps(ge.get(f), ensure_ascii=False)) for f in bad)
    if "succeeds" in options:
        return None
    for field in ("update", "columns"):
        if want.get(field) != got.get(field):
            return "%s: expected %s\n%sgot %s" % (
                field, json.dumps(want.get(field), ensure_ascii=False), " " * (len(field) + 4),
                json.dumps(got.get(field), ensure_ascii=False))
    if "types" in options:
        return None
    wr, gr = want["rows"], got["rows"]
    if isinstance(wr, dict):
        digest = digest_rows(gr)
        return None if digest == wr else "rows: expected %s\n          got %s" % (
            json.dumps(wr), json.dumps(digest))
    if len(wr) != len(gr):
        return "expected %d rows, got %d\n%s" % (len(wr), len(gr), show_rows(wr, gr))
    ordered = "ordered" in options or ("unordered" not in options and is_ordered(sql))
    if not ordered:
        wr, gr = sorted(wr, key=sort_key), sorted(gr, key=sort_key)
    tolerances = [column_tolerance(t, options) for _, t in want["columns"] or []]
    for i, (w, g) in enumerate(zip(wr, gr)):
        if len(w) != len(g) or not all(same_value(x, y, t) for x, y, t in zip(w, g, tolerances)):
            return "row %d%s: expected %s\n%sgot %s" % (
                i + 1, "" if ordered else " (sorted)", json.dumps(w, ensure_ascii=False),
                " " * (len(str(i + 1)) + (6 if ordered else 15)), json.dumps(g, ensure_ascii=False))
    return None


def show_rows(wr, gr):
    head = lambda rows: "\n".join("    " + json.dumps(r, ensure_ascii=False)[:200] for r in rows[:5])
    return "  expected:\n%s\n  got:\n%s" % (head(wr), head(gr))


# --- golden files ---

DIGEST_ABOVE = 2000     # rows; a longer answer is kept as a digest of its rows in any order


def digest_rows(rows):
    text = "\n".join(sorted(sort_key(r) for r in rows))
    return {"count": len(rows), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def fingerprint(sql):
    return hashlib.sha256(sql.encode()).hexdigest()[:12]


def dump_answer(answer, indent):
    """One row a line, so that a change of an answer is a readable diff."""
    pad = " " * indent
    if "error" in answer:
        return json.dumps(answer, ensure_ascii=False)
    parts = ['"%s": %s' % (k, json.dumps(answer[k], ensure_ascii=False))
             for k in ("statement", "update", "columns") if k in answer]
    rows = answer["rows"]
    if len(rows) > DIGEST_ABOVE:
        parts.append('"rows": ' + json.dumps(digest_rows(rows)))
    elif len(rows) <= 1:
        parts.append('"rows": ' + json.dumps(rows, ensure_ascii=False))
    else:
        parts.append('"rows": [\n' + ",\n".join(
            pad + "  " + json.dumps(r, ensure_ascii=False) for r in rows) + "]")
    return "{" + ", ".join(parts) + "}"


def write_golden(path, answers):
    """answers: name -> list of answers with their statement's fingerprint."""
    blocks = []
    for name, items in answers.items():
        body = ",\n".join("    " + dump_answer(a, 4) for a in items)
        blocks.append("  %s: [\n%s]" % (json.dumps(name), body))
    with open(path, "w", encoding="utf-8") as f:
        f.write("{\n" + ",\n".join(blocks) + "\n}\n")


def read_golden(path):
    if not os.path.exists(path):
        return collections.OrderedDict()
    with open(path, encoding="utf-8") as f:
        return json.load(f, object_pairs_hook=collections.OrderedDict)


def read_deviations(path):
    """name -> reason; lines `topic/case  reason`, `#` starts a comment."""
    out = {}
    if not os.path.exists(path):
        return out
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise CorpusError("%s:%d: %s has no reason" % (path, number, name))
            if name in out:
                raise CorpusError("%s:%d: %s is listed twice" % (path, number, name))
            out[name] = reason.strip()
    return out
