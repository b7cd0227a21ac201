/* Catalogs without data for tests of the analyser: tables are what CREATE TABLE's text says. */
#ifndef TESTS_UNIT_SQL_FAKE_H
#define TESTS_UNIT_SQL_FAKE_H

#include "sql/analyze.h"

struct fake {
    struct arena arena; /* of one statement */
    struct session session;
    struct analyze_tables tables;
    struct err err;
};

/* Catalogs: "tpch" (schema tiny: TPC-H's tables under their standard names), "lake" (schemas a and b: a.t(x bigint,
 * y varchar(10), z double), a.u(x bigint, w varchar, when_ date), a.arrays(…), b.t; writable, with properties), and
 * "ice" (schema iceberg_schema: the blueprint's tables). The session: lake, a. */
void fake_init(struct fake *f);
void fake_release(struct fake *f);

/* Binds one statement, in a fresh arena; NULL: f->err says why. */
struct statement *fake_bind(struct fake *f, const char *sql);
/* … which must succeed. */
struct statement *fake_must_bind(struct fake *f, const char *sql);
/* … or fail with "line:column NAME: message" (without "line:column " when there is no position). */
void fake_must_fail(struct fake *f, const char *sql, const char *want);
/* "name type, name type, …" of a bound query's output. */
struct str fake_output(struct fake *f, const struct statement *s);
void fake_prepare(struct fake *f, const char *name, const char *text);

#endif
