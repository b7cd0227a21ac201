/*
 * system.jdbc: the tables that Trino's JDBC driver turns DatabaseMetaData calls into. Type codes are java.sql.Types',
 * other sentinels java.sql.DatabaseMetaData's (the JDBC specification, DatabaseMetaData.getColumns, getTypeInfo).
 */
#include "access/access.h"
#include "base/vec.h"
#include "connectors/listing.h"
#include "connectors/system.h"

enum {
    JDBC_COLUMN_NO_NULLS = 0,
    JDBC_COLUMN_NULLABLE = 1,
    JDBC_TYPE_NULLABLE = 1,
    JDBC_TYPE_PRED_NONE = 0,
    JDBC_TYPE_SEARCHABLE = 3,
    /* the longest of Java's zone names, "America/Argentina/ComodRivadavia", which sizes timestamps with time zone */
    MAX_ZONE_LENGTH = 32,
    NO_VALUE = -1,
};

struct jdbc_type {
    int code;  /* java.sql.Types */
    int size;  /* fixed column size, or NO_VALUE */
    int radix; /* or NO_VALUE */
};

/* By enum type_kind. */
static const struct jdbc_type jdbc_types[] = {
    [TYPE_UNKNOWN] = {2000, NO_VALUE, NO_VALUE},
    [TYPE_BOOLEAN] = {16, NO_VALUE, NO_VALUE},
    [TYPE_TINYINT] = {-6, 3, 10},
    [TYPE_SMALLINT] = {5, 5, 10},
    [TYPE_INTEGER] = {4, 10, 10},
    [TYPE_BIGINT] = {-5, 19, 10},
    [TYPE_REAL] = {7, 24, 2},
    [TYPE_DOUBLE] = {8, 53, 2},
    [TYPE_DECIMAL] = {3, NO_VALUE, 10},
    [TYPE_VARCHAR] = {12, NO_VALUE, NO_VALUE},
    [TYPE_CHAR] = {1, NO_VALUE, NO_VALUE},
    [TYPE_VARBINARY] = {-3, TYPE_UNBOUNDED, NO_VALUE},
    [TYPE_JSON] = {2000, NO_VALUE, NO_VALUE},
    [TYPE_UUID] = {2000, NO_VALUE, NO_VALUE},
    [TYPE_DATE] = {91, 14, NO_VALUE},
    [TYPE_TIME] = {92, NO_VALUE, NO_VALUE},
    [TYPE_TIME_TZ] = {2013, NO_VALUE, NO_VALUE},
    [TYPE_TIMESTAMP] = {93, NO_VALUE, NO_VALUE},
    [TYPE_TIMESTAMP_TZ] = {2014, NO_VALUE, NO_VALUE},
    [TYPE_INTERVAL_YEAR_MONTH] = {2000, NO_VALUE, NO_VALUE},
    [TYPE_INTERVAL_DAY_SECOND] = {2000, NO_VALUE, NO_VALUE},
    [TYPE_ARRAY] = {2003, NO_VALUE, NO_VALUE},
    [TYPE_MAP] = {2000, NO_VALUE, NO_VALUE},
    [TYPE_ROW] = {2000, NO_VALUE, NO_VALUE},
    [TYPE_FUNCTION] = {2000, NO_VALUE, NO_VALUE},
};

static void add_or_null(struct virtual_scan *s, int v)
{
    if (v == NO_VALUE)
        virtual_add_null(s);
    else
        virtual_add_i64(s, v);
}

/* Characters that a value's text may take: digits and signs of the date and time parts, the point, the fraction. */
static int column_size(const struct type *t)
{
    if (t->kind == TYPE_DECIMAL || t->kind == TYPE_VARCHAR || t->kind == TYPE_CHAR)
        return t->precision; /* a varchar without a length: the largest int */
    int fraction = t->precision ? 1 + t->precision : 0;

    switch (t->kind) {
    case TYPE_TIME:
        return 8 + fraction;
    case TYPE_TIME_TZ:
        return 8 + fraction + 6;
    case TYPE_TIMESTAMP:
        return 1 + 5 + 15 + fraction;
    case TYPE_TIMESTAMP_TZ:
        return 1 + 6 + 15 + fraction + 1 + MAX_ZONE_LENGTH;
    default:
        return jdbc_types[t->kind].size;
    }
}

static int decimal_digits(const struct type *t)
{
    switch (t->kind) {
    case TYPE_DECIMAL:
        return t->scale;
    case TYPE_TIME:
    case TYPE_TIME_TZ:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        return t->precision;
    default:
        return NO_VALUE;
    }
}

static int char_octet_length(const struct type *t)
{
    return t->kind == TYPE_VARCHAR || t->kind == TYPE_CHAR || t->kind == TYPE_VARBINARY ? column_size(t) : NO_VALUE;
}

static int add_columns(struct virtual_scan *s, const struct connector_table *t, struct err *err)
{
    int64_t ordinal = 0;

    for (size_t i = 0; i < t->column_count; i++) {
        const struct connector_column *c = &t->columns[i];

        if (c->hidden || !access_sees_column(s->request->access, t->catalog, t->schema, t->name, c->name))
            continue;
        int r = virtual_begin_row(s, err);
        if (r < 0)
            return r;
        virtual_add_str(s, arena_str(s->arena, t->catalog));
        virtual_add_str(s, arena_str(s->arena, t->schema));
        virtual_add_str(s, arena_str(s->arena, t->name));
        virtual_add_str(s, arena_str(s->arena, c->name));
        virtual_add_i64(s, jdbc_types[c->type->kind].code);
        virtual_add_str(s, type_name(s->arena, c->type));
        add_or_null(s, column_size(c->type));
        virtual_add_i64(s, 0);
        add_or_null(s, decimal_digits(c->type));
        add_or_null(s, jdbc_types[c->type->kind].radix);
        virtual_add_i64(s, c->not_null ? JDBC_COLUMN_NO_NULLS : JDBC_COLUMN_NULLABLE);
        virtual_add_str(s, str_is_null(c->comment) ? STR_NULL : arena_str(s->arena, c->comment));
        virtual_add_null(s);
        virtual_add_null(s);
        virtual_add_null(s);
        add_or_null(s, char_octet_length(c->type));
        virtual_add_i64(s, ++ordinal);
        virtual_add_cstr(s, c->not_null ? "NO" : "YES");
    }
    return 0;
}

static const struct listing_filter table_filter = {"table_cat", "table_schem", "table_name"};

static int fill_columns(struct virtual_scan *s, struct err *err)
{
    return listing_each_table(s, NULL, &table_filter, true, add_columns, err);
}

static int add_table(struct virtual_scan *s, const struct connector_table *t, struct err *err)
{
    int r = virtual_begin_row(s, err);

    if (r < 0)
        return r;
    virtual_add_str(s, arena_str(s->arena, t->catalog));
    virtual_add_str(s, arena_str(s->arena, t->schema));
    virtual_add_str(s, arena_str(s->arena, t->name));
    virtual_add_cstr(s, t->is_view ? "VIEW" : "TABLE");
    return 0;
}

static int fill_tables(struct virtual_scan *s, struct err *err)
{
    struct str type = virtual_filter(s, "table_type");

    if (!str_is_null(type) && !str_eq(type, STR("TABLE")) && !str_eq(type, STR("VIEW")))
        return 0;
    return listing_each_table(s, NULL, &table_filter, false, add_table, err);
}

static int fill_catalogs(struct virtual_scan *s, struct err *err)
{
    for (size_t i = 0; i < s->context->catalogs->n; i++) {
        if (!access_sees_catalog(s->request->access, s->context->catalogs->items[i]->catalog))
            continue;
        int r = virtual_begin_row(s, err);
        if (r < 0)
            return r;
        virtual_add_str(s, s->context->catalogs->items[i]->catalog);
    }
    return 0;
}

static int fill_schemas(struct virtual_scan *s, struct err *err)
{
    for (size_t i = 0; i < s->context->catalogs->n; i++) {
        struct connector *c = s->context->catalogs->items[i];
        struct str *names;
        size_t n;

        if (!virtual_wants(s, "table_catalog", c->catalog) || !access_sees_catalog(s->request->access, c->catalog))
            continue;
        int r = listing_schemas(s->context, s->arena, c, &names, &n, err);
        for (size_t k = 0; r == 0 && k < n; k++) {
            if (!access_sees_schema(s->request->access, c->catalog, names[k]))
                continue;
            r = virtual_begin_row(s, err);
            if (r < 0)
                break;
            virtual_add_str(s, names[k]);
            virtual_add_str(s, c->catalog);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static int fill_table_types(struct virtual_scan *s, struct err *err)
{
    static const char *const types[] = {"TABLE", "VIEW"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        int r = virtual_begin_row(s, err);
        if (r < 0)
            return r;
        virtual_add_cstr(s, types[i]);
    }
    return 0;
}

static int add_type(struct virtual_scan *s, const char *name, int code, int size, bool searchable, int radix,
                    struct err *err)
{
    int r = virtual_begin_row(s, err);

    if (r < 0)
        return r;
    virtual_add_cstr(s, name);
    virtual_add_i64(s, code);
    add_or_null(s, size);
    virtual_add_null(s);
    virtual_add_null(s);
    virtual_add_null(s);
    virtual_add_i64(s, JDBC_TYPE_NULLABLE);
    virtual_add_bool(s, false);
    virtual_add_i64(s, searchable ? JDBC_TYPE_SEARCHABLE : JDBC_TYPE_PRED_NONE);
    virtual_add_null(s);
    virtual_add_bool(s, false);
    virtual_add_null(s);
    virtual_add_null(s);
    virtual_add_i64(s, 0);
    virtual_add_i64(s, 0);
    virtual_add_null(s);
    virtual_add_null(s);
    add_or_null(s, radix);
    return 0;
}

/* The types of this engine, as getTypeInfo lists them: first the plain ones, then the parametric ones by their bare name. */
static int fill_types(struct virtual_scan *s, struct err *err)
{
    static const struct type *const plain[] = {&type_boolean,
                                               &type_tinyint,
                                               &type_smallint,
                                               &type_integer,
                                               &type_bigint,
                                               &type_real,
                                               &type_double,
                                               &type_varbinary,
                                               &type_json,
                                               &type_uuid,
                                               &type_date,
                                               &type_interval_year_month,
                                               &type_interval_day_second,
                                               &type_unknown};
    static const char *const parametric[] = {
        "array", "map", "row", "varchar", "char", "decimal", "time", "timestamp", "timestamp with time zone"};
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(plain); i++) {
        const struct type *t = plain[i];
        r = add_type(s, type_name(s->arena, t).p, jdbc_types[t->kind].code, jdbc_types[t->kind].size,
                     type_is_comparable(t), jdbc_types[t->kind].radix, err);
    }
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(parametric); i++)
        r = add_type(s, parametric[i], strcmp(parametric[i], "array") == 0 ? 2003 : 2000, NO_VALUE, false, NO_VALUE,
                     err);
    return r;
}

/* Trino has none of these objects either: the tables exist for the driver and are empty. */
static int fill_nothing(struct virtual_scan *s, struct err *err)
{
    (void)s;
    (void)err;
    return 0;
}

#define V(column)                    \
    {                                \
        column, &type_varchar, false \
    }
#define I(column)                   \
    {                               \
        column, &type_bigint, false \
    }
#define B(column)                    \
    {                                \
        column, &type_boolean, false \
    }

static const struct virtual_column attributes_columns[] = {
    V("type_cat"),         V("type_schem"),  V("type_name"),      V("attr_name"),        I("data_type"),
    V("attr_type_name"),   I("attr_size"),   I("decimal_digits"), I("num_prec_radix"),   I("nullable"),
    V("remarks"),          V("attr_def"),    I("sql_data_type"),  I("sql_datetime_sub"), I("char_octet_length"),
    I("ordinal_position"), V("is_nullable"), V("scope_catalog"),  V("scope_schema"),     V("scope_table"),
    I("source_data_type")};
static const struct virtual_column catalogs_columns[] = {V("table_cat")};
static const struct virtual_column columns_columns[] = {
    V("table_cat"),         V("table_schem"),      V("table_name"),       V("column_name"),       I("data_type"),
    V("type_name"),         I("column_size"),      I("buffer_length"),    I("decimal_digits"),    I("num_prec_radix"),
    I("nullable"),          V("remarks"),          V("column_def"),       I("sql_data_type"),     I("sql_datetime_sub"),
    I("char_octet_length"), I("ordinal_position"), V("is_nullable"),      V("scope_catalog"),     V("scope_schema"),
    V("scope_table"),       I("source_data_type"), V("is_autoincrement"), V("is_generatedcolumn")};
static const struct virtual_column primary_keys_columns[] = {V("table_cat"),   V("table_schem"), V("table_name"),
                                                             V("column_name"), I("key_seq"),     V("pk_name")};
static const struct virtual_column procedure_columns_columns[] = {V("procedure_cat"),
                                                                  V("procedure_schem"),
                                                                  V("procedure_name"),
                                                                  V("column_name"),
                                                                  I("column_type"),
                                                                  I("data_type"),
                                                                  V("type_name"),
                                                                  I("precision"),
                                                                  I("length"),
                                                                  I("scale"),
                                                                  I("radix"),
                                                                  I("nullable"),
                                                                  V("remarks"),
                                                                  V("column_def"),
                                                                  I("sql_data_type"),
                                                                  I("sql_datetime_sub"),
                                                                  I("char_octet_length"),
                                                                  I("ordinal_position"),
                                                                  V("is_nullable"),
                                                                  V("specific_name")};
static const struct virtual_column procedures_columns[] = {V("procedure_cat"),  V("procedure_schem"),
                                                           V("procedure_name"), V("remarks"),
                                                           I("procedure_type"), V("specific_name")};
static const struct virtual_column pseudo_columns_columns[] = {
    V("table_cat"),    V("table_schem"), V("table_name"),        V("column_name"),
    I("data_type"),    I("column_size"), I("decimal_digits"),    I("num_prec_radix"),
    V("column_usage"), V("remarks"),     I("char_octet_length"), V("is_nullable")};
static const struct virtual_column schemas_columns[] = {V("table_schem"), V("table_catalog")};
static const struct virtual_column super_tables_columns[] = {V("table_cat"), V("table_schem"), V("table_name"),
                                                             V("supertable_name")};
static const struct virtual_column super_types_columns[] = {
    V("type_cat"), V("type_schem"), V("type_name"), V("supertype_cat"), V("supertype_schem"), V("supertype_name")};
static const struct virtual_column table_types_columns[] = {V("table_type")};
static const struct virtual_column tables_columns[] = {
    V("table_cat"),     V("table_schem"), V("table_name"),
    V("table_type"),    V("remarks"),     V("type_cat"),
    V("type_schem"),    V("type_name"),   V("self_referencing_col_name"),
    V("ref_generation")};
static const struct virtual_column types_columns[] = {
    V("type_name"),        I("data_type"),        I("precision"),       V("literal_prefix"), V("literal_suffix"),
    V("create_params"),    I("nullable"),         B("case_sensitive"),  I("searchable"),     B("unsigned_attribute"),
    B("fixed_prec_scale"), B("auto_increment"),   V("local_type_name"), I("minimum_scale"),  I("maximum_scale"),
    I("sql_data_type"),    I("sql_datetime_sub"), I("num_prec_radix")};
static const struct virtual_column udts_columns[] = {V("type_cat"),  V("type_schem"), V("type_name"), V("class_name"),
                                                     I("data_type"), V("remarks"),    I("base_type")};

#define TABLE(name_, columns_, fill_)                       \
    &(const struct virtual_table)                           \
    {                                                       \
        "jdbc", name_, columns_, ARRAY_LEN(columns_), fill_ \
    }

const struct virtual_table *const system_jdbc_tables[] = {
    TABLE("attributes", attributes_columns, fill_nothing),
    TABLE("catalogs", catalogs_columns, fill_catalogs),
    TABLE("columns", columns_columns, fill_columns),
    TABLE("primary_keys", primary_keys_columns, fill_nothing),
    TABLE("procedure_columns", procedure_columns_columns, fill_nothing),
    TABLE("procedures", procedures_columns, fill_nothing),
    TABLE("pseudo_columns", pseudo_columns_columns, fill_nothing),
    TABLE("schemas", schemas_columns, fill_schemas),
    TABLE("super_tables", super_tables_columns, fill_nothing),
    TABLE("super_types", super_types_columns, fill_nothing),
    TABLE("table_types", table_types_columns, fill_table_types),
    TABLE("tables", tables_columns, fill_tables),
    TABLE("types", types_columns, fill_types),
    TABLE("udts", udts_columns, fill_nothing),
};
const size_t system_jdbc_table_count = ARRAY_LEN(system_jdbc_tables);
