/* The benchmark TPC-H: its tables, whose rows engine/dbgen.h makes. */
#include "base/vec.h"
#include "connectors/tpc_internal.h"
#include "engine/dbgen.h"

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

static struct str query(struct arena *a, const struct tpc_table *t, double scale)
{
    return arena_printf(a, "SELECT * FROM dp_dbgen('%s', %.15g)", t->name, scale);
}

static const struct tpc_kind kind = {
    .name = "tpch",
    .tables = tables,
    .table_count = ARRAY_LEN(tables),
    .schemas = schemas,
    .schema_count = ARRAY_LEN(schemas),
    .min_scale = DBGEN_SCALE_MIN,
    .max_scale = DBGEN_SCALE_MAX,
    .query = query,
    .has_text = true,
};

int tpch_connector_new(struct str catalog, struct engine *e, const char *cache_dir, bool standard_naming,
                       bool decimal_types, struct connector **ret, struct err *err)
{
    return tpc_connector_new(&kind, catalog, e, cache_dir, standard_naming, decimal_types, ret, err);
}
