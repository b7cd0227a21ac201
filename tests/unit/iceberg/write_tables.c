/* write_iceberg_tables FOLDER [LOCATION]: writes tables below a folder for other clients to open, as if the folder were
 * at LOCATION (file://FOLDER): one unpartitioned, one partitioned by all kinds of types. The
 * data files are only told of, not there. Prints the location of each one's metadata. */
#include "iceberg/iceberg.h"

#include "base/vec.h"
#include "folder.h"

enum { MANY = 40 };

static struct arena arena;
static struct folder folder;
static struct iceberg_cache *cache;
static const char *location; /* of the folder */

static void must(int rc, const struct err *err)
{
    if (rc < 0) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

static struct iceberg_type *type(enum iceberg_type_kind kind)
{
    struct iceberg_type *t = arena_new(&arena, struct iceberg_type);

    t->kind = kind;
    t->precision = 12;
    t->scale = 2;
    t->length = 4;
    return t;
}

static struct iceberg_field *field(const char *name, struct iceberg_type *t)
{
    struct iceberg_field *f = arena_new(&arena, struct iceberg_field);

    *f = (struct iceberg_field){.name = str_from_cstr(name), .type = t};
    return f;
}

static struct iceberg_schema make_schema(void)
{
    struct iceberg_type *row = type(ICEBERG_STRUCT), *list = type(ICEBERG_LIST), *map = type(ICEBERG_MAP);
    struct iceberg_field *fields = arena_array(&arena, struct iceberg_field, 18);

    row->fields = arena_array(&arena, struct iceberg_field, 2);
    row->fields[0] = *field("x", type(ICEBERG_DOUBLE));
    row->fields[1] = *field("y", type(ICEBERG_DOUBLE));
    row->field_count = 2;
    list->fields = field("element", row);
    list->field_count = 1;
    map->fields = arena_array(&arena, struct iceberg_field, 2);
    map->fields[0] = *field("key", type(ICEBERG_STRING));
    map->fields[0].required = true;
    map->fields[1] = *field("value", type(ICEBERG_LONG));
    map->field_count = 2;
    for (int i = ICEBERG_BOOLEAN; i <= ICEBERG_BINARY; i++)
        fields[i] = *field(arena_printf(&arena, "c%d", i).p, type((enum iceberg_type_kind)i));
    fields[ICEBERG_LONG].required = true;
    fields[ICEBERG_STRING].doc = STR("text, \"quoted\"");
    fields[14] = *field("points", list);
    fields[15] = *field("counts", map);
    fields[16] = *field("odd name \xc3\xa9", type(ICEBERG_STRING));
    return (struct iceberg_schema){.fields = fields, .field_count = 17};
}

/* The value of column `kind` in file i. */
static struct iceberg_value value(int kind, int i)
{
    struct iceberg_value v = {.i = i, .f = i + 0.5, .unscaled = i * 101 - 1000};

    if (kind == ICEBERG_BOOLEAN)
        v.i = i % 2;
    else if (kind == ICEBERG_STRING)
        v.bytes = arena_printf(&arena, "text %03d, which is longer than sixteen", i);
    else if (kind == ICEBERG_UUID)
        v.bytes = arena_printf(&arena, "0123456789abcd%02d", i);
    else if (kind == ICEBERG_FIXED)
        v.bytes = arena_printf(&arena, "f%03d", i);
    else if (kind == ICEBERG_BINARY)
        v.bytes = arena_printf(&arena, "b%03d", i);
    else if (kind == ICEBERG_TIME)
        v.i = (int64_t)i * 60000000;
    else if (kind >= ICEBERG_TIMESTAMP && kind <= ICEBERG_TIMESTAMPTZ)
        v.i = (int64_t)i * 3600000000;
    return v;
}

static void make_file(const struct iceberg_schema *s, const struct iceberg_spec *spec, int i,
                      struct iceberg_new_file *ret)
{
    struct iceberg_column_stats *columns = arena_array(&arena, struct iceberg_column_stats, 14);
    struct err err = {0};

    for (int k = 0; k < 14; k++)
        columns[13 - k] = (struct iceberg_column_stats){
            .field_id = s->fields[k].id,
            .size = 100 + k,
            .value_count = 10,
            .null_count = k == ICEBERG_DATE ? 1 : 0,
            .nan_count = k == ICEBERG_FLOAT || k == ICEBERG_DOUBLE ? 0 : -1,
            .has_bounds = true,
            .lower = value(k, i),
            .upper = value(k, i),
        };
    *ret = (struct iceberg_new_file){
        .path = arena_printf(&arena, "%s/data/%05d.parquet", location, i),
        .record_count = 10,
        .file_size = 1000 + i,
        .columns = columns,
        .column_count = 14,
        .split_offsets = arena_array(&arena, int64_t, 1),
        .split_count = 1,
    };
    ret->split_offsets[0] = 4;
    ret->partition = arena_array(&arena, struct iceberg_value, spec->field_count);
    for (size_t k = 0; k < spec->field_count; k++) {
        const struct iceberg_field *source = &s->fields[spec->fields[k].source_id - 1];
        struct iceberg_value v = value((int)source->type->kind, i);
        must(iceberg_transform_apply(&arena, &spec->fields[k], source->type, &v, &ret->partition[k], &err), &err);
    }
    if (i == 0) /* nulls in the partition of the first */
        for (size_t k = 0; k < spec->field_count; k++)
            ret->partition[k] = (struct iceberg_value){.is_null = true};
}

static void write_table(const char *name, const char *const *partitioning, size_t n)
{
    struct iceberg_schema s = make_schema();
    struct iceberg_spec spec = {.fields = arena_array(&arena, struct iceberg_partition_field, n), .field_count = n};
    struct iceberg_new_file files[MANY];
    const struct str names[] = {STR("trino_query_id")}, values[] = {STR("20261125_000000_00000_aaaaa")};
    const struct str property_names[] = {STR("write.format.default")}, property_values[] = {STR("PARQUET")};
    struct iceberg_commit commit = {.cache = cache,
                                    .io = &folder.io,
                                    .pointer = &folder.table,
                                    .summary_names = names,
                                    .summary_values = values,
                                    .summary_count = 1};
    struct err err = {0};
    int last;

    iceberg_assign_ids(&arena, &s, &last);
    for (size_t i = 0; i < n; i++)
        must(iceberg_partition_parse(&arena, &s, str_from_cstr(partitioning[i]), &spec.fields[i], &err), &err);
    struct iceberg_new_table t = {.location = arena_printf(&arena, "%s/%s", location, name),
                                  .schema = s,
                                  .spec = spec,
                                  .property_names = property_names,
                                  .property_values = property_values,
                                  .property_count = 1};
    for (int i = 0; i < MANY; i++)
        make_file(&s, &spec, i, &files[i]);
    folder.pointer[0] = '\0';
    must(iceberg_create_table(&commit, &arena, &t, files, 10, &err), &err);
    must(iceberg_append(&commit, &arena, files + 10, 20, &err), &err);
    must(iceberg_append(&commit, &arena, files + 30, 10, &err), &err);
    puts(folder.pointer);
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"c0",
                                      "bucket(c1, 8)",
                                      "truncate(c2, 10)",
                                      "c3",
                                      "c4",
                                      "c5",
                                      "month(c6)",
                                      "c7",
                                      "hour(c8)",
                                      "day(c9)",
                                      "c10",
                                      "c11",
                                      "c12",
                                      "c13",
                                      "truncate(\"odd name \xc3\xa9\", 3)",
                                      "truncate(c10, 5)",
                                      "bucket(c5, 4)",
                                      "void(c1)"};
    struct err err = {0};

    if (argc < 2)
        return 2;
    folder_init(&folder);
    location = argc > 2 ? argv[2] : arena_printf(&arena, "file://%s", argv[1]).p;
    folder.from = str_from_cstr(location);
    folder.mapped = str_from_cstr(argv[1]);
    must(iceberg_cache_new(1 << 20, &folder.io, &cache, &err), &err);
    write_table("plain", NULL, 0);
    write_table("partitioned", all, ARRAY_LEN(all));
    /* all rows away again */
    struct iceberg_commit commit = {.cache = cache, .io = &folder.io, .pointer = &folder.table};
    int64_t rows;
    must(iceberg_delete_all(&commit, &arena, &rows, &err), &err);
    printf("%s\n%lld\n", folder.pointer, (long long)rows);
    iceberg_cache_free(cache);
    folder_release(&folder);
    arena_release(&arena);
    return 0;
}
