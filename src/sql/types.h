/*
 * Trino's types, and how the engine holds their values.
 *
 * A `struct type` is immutable; the scalar ones without parameters are static, the others are made by the type_*
 * constructors in an arena. Compare with type_eq, never by pointer.
 *
 * What the engine (DuckDB) holds for each, its "physical" type:
 *   boolean, tinyint … bigint, real, double, date, varbinary (BLOB), uuid: the same
 *   decimal(p,s)       DECIMAL(p,s)
 *   varchar[(n)]       VARCHAR; the length is the analyser's knowledge, enforced by casts
 *   char(n)            VARCHAR without its trailing spaces (as Trino's own slices); padded when shown or cast to varchar
 *   json               VARCHAR, canonical text
 *   time(p)            TIME, p ≤ 6
 *   timestamp(p)       TIMESTAMP (microseconds), p ≤ 6; a larger p is NOT_SUPPORTED
 *   timestamp(p) with time zone   TIMESTAMP WITH TIME ZONE: the instant; the zone that Trino keeps with a value is static
 *                      here, `zone` of the type: known for literals, columns (UTC), current_timestamp (the session's) and
 *                      AT TIME ZONE with a constant. An expression that would mix zones is NOT_SUPPORTED.
 *   interval year to month   INTEGER, months
 *   interval day to second   BIGINT, milliseconds
 *   array(T) T[]; map(K,V) MAP; row(...) STRUCT with fields f0, f1, … (Trino's rows may repeat or lack names)
 *   unknown (the type of NULL)   INTEGER, always null
 */
#ifndef SQL_TYPES_H
#define SQL_TYPES_H

#include "base/arena.h"
#include "base/buf.h"

enum type_kind {
    TYPE_UNKNOWN,
    TYPE_BOOLEAN,
    TYPE_TINYINT,
    TYPE_SMALLINT,
    TYPE_INTEGER,
    TYPE_BIGINT,
    TYPE_REAL,
    TYPE_DOUBLE,
    TYPE_DECIMAL,
    TYPE_VARCHAR,
    TYPE_CHAR,
    TYPE_VARBINARY,
    TYPE_JSON,
    TYPE_UUID,
    TYPE_DATE,
    TYPE_TIME,
    TYPE_TIME_TZ,
    TYPE_TIMESTAMP,
    TYPE_TIMESTAMP_TZ,
    TYPE_INTERVAL_YEAR_MONTH,
    TYPE_INTERVAL_DAY_SECOND,
    TYPE_ARRAY,
    TYPE_MAP,
    TYPE_ROW,
    TYPE_FUNCTION, /* of a lambda: parameters then the result in `fields` */
};

enum { TYPE_UNBOUNDED = 0x7fffffff }; /* the length of a varchar without one, as Trino's Integer.MAX_VALUE */

struct type_field {
    struct str name; /* as written or declared; null for an anonymous field */
    const struct type *type;
};

struct type {
    enum type_kind kind;
    int precision;                   /* decimal's, time's and timestamp's precision; varchar's and char's length */
    int scale;                       /* decimal's */
    const struct type *element;      /* array's; map's value */
    const struct type *key;          /* map's */
    const struct type_field *fields; /* row's */
    size_t field_count;
    struct str zone; /* timestamp with time zone: see above; not part of the type's identity */
};

extern const struct type type_unknown, type_boolean, type_tinyint, type_smallint, type_integer, type_bigint, type_real,
    type_double, type_varchar, type_varbinary, type_json, type_uuid, type_date, type_timestamp_3, type_timestamp_6,
    type_interval_year_month, type_interval_day_second;

const struct type *type_decimal(struct arena *a, int precision, int scale);
const struct type *type_varchar_n(struct arena *a, int length); /* TYPE_UNBOUNDED gives &type_varchar */
const struct type *type_char(struct arena *a, int length);
const struct type *type_time(struct arena *a, int precision);
const struct type *type_timestamp(struct arena *a, int precision);
const struct type *type_timestamp_tz(struct arena *a, int precision, struct str zone);
const struct type *type_array(struct arena *a, const struct type *element);
const struct type *type_map(struct arena *a, const struct type *key, const struct type *value);
const struct type *type_row(struct arena *a, const struct type_field *fields, size_t n);

bool type_eq(const struct type *a, const struct type *b); /* zones aside; row field names count, as in Trino */
bool type_is_numeric(const struct type *t);
bool type_is_integer(const struct type *t);
bool type_is_comparable(const struct type *t);
bool type_is_orderable(const struct type *t);

/* Trino's display name: "varchar(25)", "decimal(12,2)", "timestamp(3) with time zone", "row(x integer, varchar)", … */
void type_format(struct buf *to, const struct type *t);
struct str type_name(struct arena *a, const struct type *t);
/* As Trino's type signatures print it, in the errors of function resolution: "decimal(3,2)", "map(integer,integer)". */
void type_format_signature(struct buf *to, const struct type *t);
/* The DuckDB type that holds it, for casts and DDL: see the table above. */
void type_format_physical(struct buf *to, const struct type *t);

/* Reads Trino's display form or DDL ("varchar(25)", any case); used for tables of functions, properties and DDL.
 * ERR_INVALID with the name TYPE_NOT_FOUND ("Unknown type: foo") or TYPE_MISMATCH-like texts as Trino's. */
MUST_CHECK int type_parse(struct arena *a, struct str text, const struct type **ret, struct err *err);

/* The type both can be coerced to (TypeCoercion.getCommonSuperType), or NULL. */
const struct type *type_common_super(struct arena *a, const struct type *x, const struct type *y);
bool type_can_coerce(const struct type *from, const struct type *to);
/* The type of base `to` that `from` implicitly becomes, with the least parameters that hold all its values (integer to
 * decimal(10,0)), or NULL: TypeCoercion.coerceTypeBase. What function signatures with parameters are matched by. */
const struct type *type_coerce_base(struct arena *a, const struct type *from, enum type_kind to);

#endif
