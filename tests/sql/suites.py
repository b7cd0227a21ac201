"""TPC-H and the blueprint as suites of the runner: whole queries on real tables, not small cases."""
import collections
import fnmatch
import os
import re

import corpus
import trino_http

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
BLUEPRINT = os.path.join(os.path.dirname(TESTS), "examples", "blueprint")

# The prefix that the STANDARD column names have and the SIMPLIFIED ones lack.
TPCH_TABLES = collections.OrderedDict([
    ("region", "r"), ("nation", "n"), ("supplier", "s"), ("customer", "c"), ("part", "p"),
    ("partsupp", "ps"), ("orders", "o"), ("lineitem", "l")])


def statements_of(path):
    """The statements of a file, comments taken off."""
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"^--.*\n", "", f.read(), flags=re.M)
    return [s.strip() for s in re.split(r";[ \t]*(?:\n|$)", text) if s.strip()]


def load(suite, size, catalog, names):
    """(topics, path of a topic's golden file), as the runner wants them; a query is a topic of its own."""
    topics = collections.OrderedDict()
    if suite == "tpch":
        folder = os.path.join(HERE, "tpch")
        for entry in sorted(os.listdir(folder)):
            name, ext = os.path.splitext(entry)
            if ext == ".sql" and (not names or any(fnmatch.fnmatch(name, n) for n in names)):
                topics[name] = [corpus.Case(name, name, statements_of(os.path.join(folder, entry)), {},
                                            {"catalog": catalog, "schema": "tpch_" + size}, 1)]
    else:
        topics["query"] = [corpus.Case("query", "query", statements_of(
            os.path.join(BLUEPRINT, "query.sql")), {}, {}, 1)]
    golden = os.path.join(TESTS, "golden", suite, size)
    return topics, lambda topic: os.path.join(golden, topic + ".golden")


def make_tables(suite, url, size, catalog, user="test", password=None):
    """TPC-H: copies with STANDARD column names in CATALOG.tpch_SIZE, tables that exist stay. Blueprint:
    runs its load.sql as the CLI would with --catalog tpcds --schema SIZE."""
    session = trino_http.Session(url, user=user, password=password)
    if suite == "blueprint":
        session.catalog, session.schema = "tpcds", size
        for sql in statements_of(os.path.join(BLUEPRINT, "load.sql")):
            trino_http.query(session, sql)
        return
    schema = "%s.tpch_%s" % (catalog, size)
    standard = ["tpchstd"] in trino_http.query(session, "SHOW CATALOGS").rows
    location = " WITH (location = 's3://trino-data/tpch_%s')" % size if catalog == "iceberg" else ""
    trino_http.query(session, "CREATE SCHEMA IF NOT EXISTS %s%s" % (schema, location))
    for table, prefix in TPCH_TABLES.items():
        if standard:
            select = "SELECT * FROM tpchstd.%s.%s" % (size, table)
        else:           # only the default catalog: give the columns their names here
            columns = trino_http.query(session, "SHOW COLUMNS FROM tpch.%s.%s" % (size, table)).rows
            select = "SELECT %s FROM tpch.%s.%s" % (
                ", ".join("%s AS %s_%s" % (c[0], prefix, c[0]) for c in columns), size, table)
        trino_http.query(session, "CREATE TABLE IF NOT EXISTS %s.%s AS %s" % (schema, table, select),
                         timeout=3600)
