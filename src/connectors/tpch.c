/*
 * The benchmark TPC-H: tables, and the generator that makes them at any scale as Trino does, but for two things: it draws
 * the letters of addresses from a wider range than dbgen 2 and Trino did, and cuts comments out of a shorter text. Those
 * columns are made here.
 */
#include "base/vec.h"
#include "connectors/tpc_internal.h"

#define COLUMN(name_, type_) {name_, type_, NULL},
#define TABLE(name_, prefix_) static const struct tpc_column name_##_columns[] = {
#define END(name_) \
    }              \
    ;
#include "connectors/tpch.def"
#undef COLUMN
#undef TABLE
#undef END

#define COLUMN(name_, type_)
#define TABLE(name_, prefix_) {#name_, prefix_, name_##_columns, ARRAY_LEN(name_##_columns)},
#define END(name_)
static const struct tpc_table tables[] = {
#include "connectors/tpch.def"
};

static const struct str schemas[] = {{"sf1", 3},   {"sf100", 5},  {"sf1000", 6},  {"sf10000", 7}, {"sf100000", 8},
                                     {"sf300", 5}, {"sf3000", 6}, {"sf30000", 7}, {"tiny", 4}};

static double generator_scale(const struct tpc_table *t, double scale)
{
    (void)t;
    return scale;
}

/* ---- addresses ---- */

/* dbgen's random numbers: seed = seed * 16807 mod (2^31 - 1), and each row has ADDRESS_DRAWS of them to itself. */
enum { RANDOM_FACTOR = 16807, RANDOM_MODULUS = 2147483647, ADDRESS_DRAWS = 9, KEY_BITS = 36 };

static int64_t multiply(int64_t x, int64_t y)
{
    return x * y % RANDOM_MODULUS;
}

/* The factors that take a seed on by 2^k rows, k = 0, 1, …, as a list of the engine. */
static void add_row_factors(struct buf *to)
{
    int64_t factor = 1;

    for (int i = 0; i < ADDRESS_DRAWS; i++)
        factor = multiply(factor, RANDOM_FACTOR);
    for (int k = 0; k < KEY_BITS; k++) {
        buf_addf(to, "%s%lld", k ? ", " : "[", (long long)factor);
        factor = multiply(factor, factor);
    }
    buf_add_char(to, ']');
}

/* The factors that take a row's seed to its draws 1, 2, … */
static void add_draw_factors(struct buf *to)
{
    int64_t factor = 1;

    for (int i = 0; i < ADDRESS_DRAWS; i++) {
        factor = multiply(factor, RANDOM_FACTOR);
        buf_addf(to, "%s%lld", i ? ", " : "[", (long long)factor);
    }
    buf_add_char(to, ']');
}

/* An address of 10 to 40 characters as SQL: the first draw is its length, each later one five letters of 6 bits. dbgen
 * maps a draw to 0 … 2^31 - 1 by a factor that overflows to -2^31; 2^32 is added to keep the bits and lose the sign. */
static struct str address(struct arena *a, const char *key, int seed)
{
    BUF_SCOPED struct buf sql;

    buf_init(&sql, 1 << 14);
    buf_addf(&sql,
             "list_transform([list_reduce(list_prepend(CAST(%d AS BIGINT), list_transform(range(%d), lambda k:", seed,
             KEY_BITS);
    buf_addf(&sql, " CASE WHEN ((\"%s\" - 1) >> k) & 1 = 1 THEN (", key);
    add_row_factors(&sql);
    buf_addf(&sql, ")[k + 1] ELSE 1 END)), lambda x, y: x * y %% %d)], lambda s: array_to_string(list_transform(",
             RANDOM_MODULUS);
    buf_addf(&sql,
             "range(10 + CAST(trunc(CAST(s * %d %% %d AS DOUBLE) / %d * 31) AS BIGINT)), lambda i:", RANDOM_FACTOR,
             RANDOM_MODULUS, RANDOM_MODULUS);
    buf_add_cstr(&sql, " substr('0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,', 1 + (((4294967296 +"
                       " CAST(trunc(CAST(s * (");
    add_draw_factors(&sql);
    buf_addf(&sql,
             ")[i // 5 + 2] %% %d AS DOUBLE) / %d * -2147483648) AS BIGINT)) >> (i %% 5 * 6)) & 63), 1)), ''))[1]",
             RANDOM_MODULUS, RANDOM_MODULUS);
    return buf_check(&sql, "an address", NULL) < 0 ? STR_NULL : arena_str(a, buf_str(&sql));
}

/* ---- comments ---- */

/* By table: how many random numbers the rows before this one have used, dbgen's seed, the average length. Orders have
 * numbers for seven lines each, parts for four suppliers; the generator writes those in order, so rowid counts them. */
static const struct {
    const char *table, *draws;
    int seed, average;
} comments[] = {
    {"customer", "2 * (c_custkey - 1)", 1335826707, 73},
    {"lineitem", "14 * (((l_orderkey >> 5 << 3) | (l_orderkey & 7)) - 1) + 2 * (l_linenumber - 1)", 1095462486, 27},
    {"nation", "2 * n_nationkey", 606179079, 72},
    {"orders", "2 * (((o_orderkey >> 5 << 3) | (o_orderkey & 7)) - 1)", 276090261, 49},
    {"part", "2 * (p_partkey - 1)", 804159733, 14},
    {"partsupp", "8 * (ps_partkey - 1) + 2 * (rowid % 4)", 1961692154, 124},
    {"region", "2 * r_regionkey", 1500869201, 72},
};

static struct str comment(struct arena *a, const struct tpc_table *t)
{
    for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
        if (strcmp(comments[i].table, t->name) == 0)
            return arena_printf(a, "dp_dbgen_comment(%d, CAST(%s AS BIGINT), %d)", comments[i].seed, comments[i].draws,
                                comments[i].average);
    }
    return STR("dp_dbgen_supplier_comment(s_suppkey)");
}

static struct str expression(struct arena *a, const struct tpc_table *t, const struct tpc_column *column)
{
    if (strcmp(column->name, "comment") == 0)
        return comment(a, t);
    if (strcmp(column->name, "address") != 0)
        return STR_NULL;
    return t->prefix[0] == 'c' ? address(a, "c_custkey", 881155353) : address(a, "s_suppkey", 706178559);
}

static const struct tpc_kind kind = {
    .name = "tpch",
    .generator = "dbgen",
    .tables = tables,
    .table_count = ARRAY_LEN(tables),
    .schemas = schemas,
    .schema_count = ARRAY_LEN(schemas),
    .min_scale = 0.001,
    .max_scale = 100000,
    .generator_scale = generator_scale,
    .expression = expression,
    .has_text = true,
};

int tpch_connector_new(struct str catalog, struct engine *e, const char *cache_dir, bool standard_naming,
                       bool decimal_types, struct connector **ret, struct err *err)
{
    return tpc_connector_new(&kind, catalog, e, cache_dir, standard_naming, decimal_types, ret, err);
}
