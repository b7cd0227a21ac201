/*
 * The benchmark TPC-DS. From scale 1 on the generator makes what Trino's does. Below, which the specification doesn't
 * define, the two shrink the tables differently: Trino's tiny (scale 0.01) has 2000 items, the generator's 180. So each
 * table of tiny comes from the generator scale that gives Trino's number of rows, as far as keys still meet the
 * tables that they name; docs/compatibility.md says what differs.
 */
#include "base/clock.h"
#include "base/vec.h"
#include "connectors/tpc_internal.h"

#define COLUMN(name_, type_) {name_, type_, NULL},
#define COLUMN_FROM(name_, type_, source_) {name_, type_, source_},
#define TABLE(name_, prefix_) static const struct tpc_column name_##_columns[] = {
#define END(name_) \
    }              \
    ;
#include "connectors/tpcds.def"
#undef COLUMN
#undef COLUMN_FROM
#undef TABLE
#undef END

#define COLUMN(name_, type_)
#define COLUMN_FROM(name_, type_, source_)
#define TABLE(name_, prefix_) {#name_, prefix_, name_##_columns, ARRAY_LEN(name_##_columns)},
#define END(name_)
static const struct tpc_table tables[] = {
#include "connectors/tpcds.def"
};

static const struct str schemas[] = {{"sf1", 3},      {"sf10", 4},  {"sf100", 5},  {"sf1000", 6},  {"sf10000", 7},
                                     {"sf100000", 8}, {"sf300", 5}, {"sf3000", 6}, {"sf30000", 7}, {"tiny", 4}};

static const double TINY = 0.01;
static const double SMALLEST_FULL = 1; /* the specification's smallest scale */

/* The generator scales for tiny where it isn't 0.01: 18000 items at scale 1, so 2000 at a ninth, and the inventory of
 * 261 weeks of them; 50000 addresses at scale 1. */
static const struct {
    const char *table;
    double scale;
} tiny_scales[] = {{"inventory", 0.11112}, {"item", 0.11112}, {"customer_address", 0.02}};

static double generator_scale(const struct tpc_table *t, double scale)
{
    if (strcmp(t->name, "dbgen_version") == 0)
        return 0;
    for (size_t i = 0; scale == TINY && i < ARRAY_LEN(tiny_scales); i++)
        if (strcmp(t->name, tiny_scales[i].table) == 0)
            return tiny_scales[i].scale;
    return scale;
}

/* All combinations of its columns, numbered with the first varying fastest, at every scale (the specification's
 * 1920800 rows); the generator leaves most out below scale 1. */
static const char customer_demographics[] =
    "SELECT i + 1 AS cd_demo_sk, ['M', 'F'][i % 2 + 1] AS cd_gender,"
    " ['M', 'S', 'D', 'W', 'U'][i // 2 % 5 + 1] AS cd_marital_status,"
    " ['Primary', 'Secondary', 'College', '2 yr Degree', '4 yr Degree', 'Advanced Degree', 'Unknown'][i // 10 % 7 + 1]"
    " AS cd_education_status,"
    " (i // 70 % 20 + 1) * 500 AS cd_purchase_estimate,"
    " ['Good', 'Low Risk', 'High Risk', 'Unknown'][i // 1400 % 4 + 1] AS cd_credit_rating,"
    " i // 5600 % 7 AS cd_dep_count, i // 39200 % 7 AS cd_dep_employed_count, i // 274400 % 7 AS cd_dep_college_count"
    " FROM range(1920800) AS r(i)";

static struct str query(struct arena *a, const struct tpc_table *t, double scale)
{
    (void)a;
    return scale < SMALLEST_FULL && strcmp(t->name, "customer_demographics") == 0 ? str_from_cstr(customer_demographics)
                                                                                  : STR_NULL;
}

/* dbgen_version tells of the generation, which Trino does anew for each query: so the time is now. */
static struct str rows(struct arena *a, const struct tpc_table *t, double scale)
{
    struct clock_civil now;

    (void)t;
    clock_civil_from_us(clock_wall_us(), &now);
    return arena_printf(a,
                        "SELECT '2.0.0' AS dv_version, DATE '%04lld-%02d-%02d' AS dv_create_date,"
                        " TIME '%02d:%02d:%02d' AS dv_create_time,"
                        " '--scale %.15g --table dbgen_version --parallelism 1' AS dv_cmdline_args",
                        (long long)now.year, now.month, now.day, now.hour, now.minute, now.second, scale);
}

static const struct tpc_kind kind = {
    .name = "tpcds",
    .generator = "dsdgen",
    .tables = tables,
    .table_count = ARRAY_LEN(tables),
    .schemas = schemas,
    .schema_count = ARRAY_LEN(schemas),
    .min_scale = 0.01, /* below, the generator doesn't come to an end */
    .max_scale = 100000,
    .generator_scale = generator_scale,
    .query = query,
    .rows = rows,
};

int tpcds_connector_new(struct str catalog, struct engine *e, const char *cache_dir, struct connector **ret,
                        struct err *err)
{
    return tpc_connector_new(&kind, catalog, e, cache_dir, false, false, ret, err);
}
