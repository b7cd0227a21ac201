/* The iceberg catalog's metadata: schemas, tables, their properties, DDL. Names and messages are Trino 476's. */
#include "base/vec.h"
#include "connectors/iceberg_internal.h"

enum { CACHE_BYTES = 32 << 20 /* metadata and manifests kept parsed */ };

/* ---- properties ---- */

static const struct type type_texts = {.kind = TYPE_ARRAY, .element = &type_varchar};

static const struct connector_property table_property_defs[] = {
    {"compression_codec", &type_varchar, NULL, "Compression codec to use when writing new data files"},
    {"format", &type_varchar, "PARQUET", "File format for the table"},
    {"format_version", &type_integer, "2", "Iceberg table format version"},
    {"location", &type_varchar, NULL, "File system location URI for the table"},
    {"max_commit_retry", &type_integer, "4",
     "Number of times to retry a commit before failing. Defaults to the value of property commit.retry.num-retries"},
    {"partitioning", &type_texts, "[]", "Partition transforms"},
    {"sorted_by", &type_texts, "[]", "Sorted columns"},
};
static const struct connector_property schema_property_defs[] = {
    {"location", &type_varchar, NULL, "Base file system location URI"},
};

static const struct expr *find_property(const struct statement *s, const char *name)
{
    for (size_t i = 0; i < s->property_count; i++)
        if (str_eq_cstr(s->properties[i].name, name))
            return s->properties[i].value;
    return NULL;
}

static struct str text_property(const struct statement *s, const char *name, struct str fallback)
{
    const struct expr *e = find_property(s, name);

    return e ? e->constant.text : fallback;
}

static int64_t number_property(const struct statement *s, const char *name, int64_t fallback)
{
    const struct expr *e = find_property(s, name);

    return e ? e->constant.i : fallback;
}

static int bad_property(struct err *err, const char *name, struct str value, const char *expected)
{
    return err_set_named(err, ERR_INVALID, "INVALID_TABLE_PROPERTY",
                         "Invalid value for catalog 'iceberg' table property '%s': [%.*s]; expected %s", name,
                         STR_ARG(value), expected);
}

/* The codec as write.parquet.compression-codec has it; null: no such one. */
static struct str codec_name(struct str codec)
{
    static const char *const names[][2] = {
        {"ZSTD", "zstd"}, {"SNAPPY", "snappy"}, {"GZIP", "gzip"}, {"LZ4", "lz4"}, {"NONE", "uncompressed"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(codec, str_from_cstr(names[i][0])))
            return str_from_cstr(names[i][1]);
    return STR_NULL;
}

static int check_properties(const struct statement *s, struct err *err)
{
    struct str format = text_property(s, "format", STR("PARQUET"));
    struct str codec = text_property(s, "compression_codec", STR("ZSTD"));
    int64_t version = number_property(s, "format_version", 2);
    const struct expr *sorted = find_property(s, "sorted_by");

    if (str_eq_nocase(format, STR("ORC")) || str_eq_nocase(format, STR("AVRO")))
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                             "Tables of format %.*s are not supported, only PARQUET", STR_ARG(format));
    if (!str_eq_nocase(format, STR("PARQUET")))
        return bad_property(err, "format", format, "PARQUET");
    if (str_is_null(codec_name(codec)))
        return bad_property(err, "compression_codec", codec, "ZSTD, SNAPPY, GZIP, LZ4 or NONE");
    if (version != 2)
        return err_set_named(err, version == 1 || version == 3 ? ERR_UNSUPPORTED : ERR_INVALID,
                             version == 1 || version == 3 ? "NOT_SUPPORTED" : "INVALID_TABLE_PROPERTY",
                             "Tables of Iceberg format version %lld can't be made, only of version 2",
                             (long long)version);
    if (sorted && sorted->arg_count > 0)
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "The table property sorted_by is not supported");
    return 0;
}

/* ---- a new table ---- */

static int table_location(struct iceberg_connector *c, struct arena *a, const struct statement *s, struct str *ret,
                          struct err *err)
{
    struct str given = text_property(s, "location", STR_NULL), base;
    int rc = catalog_namespace_location(c->tables, a, c->warehouse, s->schema, &base, err);

    if (rc < 0)
        return rc;
    if (str_is_null(given)) {
        *ret = catalog_new_table_location(a, base, s->table);
        return 0;
    }
    *ret = arena_str(a, catalog_without_last_slashes(given));
    return catalog_check_location_empty(c->objects, a, *ret, err);
}

static int new_schema(struct arena *a, const struct statement *s, struct iceberg_schema *ret, struct err *err)
{
    int last;

    ret->field_count = s->column_count;
    ret->fields = arena_array(a, struct iceberg_field, s->column_count);
    for (size_t i = 0; i < s->column_count; i++) {
        const struct table_column_def *d = &s->columns[i];
        struct iceberg_field *f = &ret->fields[i];

        f->name = arena_lower(a, d->name);
        f->required = d->not_null;
        f->doc = d->comment;
        int rc = iceberg_from_trino(a, iceberg_supported(a, d->type), &f->type, err);
        if (rc < 0)
            return rc;
    }
    iceberg_assign_ids(a, ret, &last);
    return 0;
}

static int new_spec(struct arena *a, const struct statement *s, const struct iceberg_schema *schema,
                    struct iceberg_spec *ret, struct err *err)
{
    const struct expr *partitioning = find_property(s, "partitioning");
    size_t n = partitioning ? partitioning->arg_count : 0;

    ret->fields = arena_array(a, struct iceberg_partition_field, n);
    for (size_t i = 0; i < n; i++) {
        struct iceberg_partition_field *f = &ret->fields[ret->field_count];
        int rc = iceberg_partition_parse(a, schema, partitioning->args[i]->constant.text, f, err);

        if (rc < 0)
            return rc;
        f->field_id = 1000 + (int)i; /* as iceberg-core numbers the fields of a first spec */
        ret->field_count++;
    }
    return 0;
}

int iceberg_describe_table(struct iceberg_connector *c, struct arena *a, const struct statement *s,
                           struct iceberg_new_table *ret, struct err *err)
{
    struct str *names = arena_array(a, struct str, 4), *values = arena_array(a, struct str, 4);
    int rc = check_properties(s, err);

    *ret = (struct iceberg_new_table){.property_names = names, .property_values = values};
    if (rc == 0)
        rc = table_location(c, a, s, &ret->location, err);
    if (rc == 0)
        rc = new_schema(a, s, &ret->schema, err);
    if (rc == 0)
        rc = new_spec(a, s, &ret->schema, &ret->spec, err);
    if (rc < 0)
        return rc;
    names[0] = STR("write.format.default");
    values[0] = STR("PARQUET");
    names[1] = STR("commit.retry.num-retries");
    values[1] = arena_printf(a, "%lld", (long long)number_property(s, "max_commit_retry", 4));
    names[2] = STR("write.parquet.compression-codec");
    values[2] = codec_name(text_property(s, "compression_codec", STR("ZSTD")));
    ret->property_count = 3;
    if (!str_is_null(s->comment)) {
        names[3] = STR("comment");
        values[3] = s->comment;
        ret->property_count = 4;
    }
    return 0;
}

/* ---- what there is ---- */

static int list_schemas(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    return catalog_list_namespaces(iceberg_of(c)->tables, a, ret, ret_n, err);
}

static int list_tables(struct connector *c, struct arena *a, struct str schema, struct connector_table_name **ret,
                       size_t *ret_n, struct err *err)
{
    struct {
        struct connector_table_name *items;
        size_t n, cap;
    } found = {0};
    struct str *schemas = &schema, *names;
    size_t schema_count = 1, n;
    int rc = 0;

    if (str_is_null(schema))
        rc = list_schemas(c, a, &schemas, &schema_count, err);
    for (size_t i = 0; rc == 0 && i < schema_count; i++) {
        rc = catalog_list_tables(iceberg_of(c)->tables, a, schemas[i], &names, &n, err);
        if (rc == ERR_NOT_FOUND) { /* a schema that isn't there, or no longer, has no tables */
            rc = 0;
            continue;
        }
        for (size_t k = 0; rc == 0 && k < n; k++)
            vec_push_in(a, &found, ((struct connector_table_name){.schema = schemas[i], .name = names[k]}));
    }
    if (rc < 0)
        return rc;
    *ret = found.items;
    *ret_n = found.n;
    return 0;
}

enum { HIDDEN_COLUMNS = 3 };

static void add_hidden_columns(struct connector_table *t)
{
    static const struct type modified = {.kind = TYPE_TIMESTAMP_TZ, .precision = 3, .zone = {"UTC", 3}};
    static const struct connector_column hidden[] = {
        {.name = {"$path", 5}, .type = &type_varchar, .hidden = true, .field_id = ICEBERG_COLUMN_PATH},
        {.name = {"$file_modified_time", 19}, .type = &modified, .hidden = true, .field_id = ICEBERG_COLUMN_MODIFIED},
        {.name = {"", 0}, .type = &type_bigint, .hidden = true, .field_id = ICEBERG_COLUMN_POSITION},
    };

    _Static_assert(ARRAY_LEN(hidden) == HIDDEN_COLUMNS, "");
    for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
        t->columns[t->column_count++] = hidden[i];
}

static int get_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                     struct connector_table **ret, struct err *err)
{
    struct iceberg_connector *ic = iceberg_of(c);
    struct iceberg_handle *handle = arena_new(a, struct iceberg_handle);
    int rc = catalog_get_table(ic->tables, a, schema, name, &handle->location, err);

    *ret = NULL;
    if (rc < 0 || str_is_null(handle->location))
        return rc;
    rc = iceberg_load_metadata(ic->cache, handle->location, &handle->metadata, err);
    if (rc < 0)
        return err_prefix(err, "Failed to load table: %.*s in %.*s namespace", STR_ARG(name), STR_ARG(schema));
    const struct iceberg_schema *s = iceberg_current_schema(handle->metadata);
    struct connector_table *t = arena_new(a, struct connector_table);
    *t = (struct connector_table){
        .connector = c,
        .catalog = c->catalog,
        .schema = arena_str(a, schema),
        .name = arena_str(a, name),
        .columns = arena_array(a, struct connector_column, s->field_count + HIDDEN_COLUMNS),
        .column_count = s->field_count,
        .comment = iceberg_property(handle->metadata, "comment"),
        .handle = handle,
    };
    for (size_t i = 0; i < s->field_count; i++)
        t->columns[i] = (struct connector_column){
            .name = arena_lower(a, s->fields[i].name),
            .type = iceberg_to_trino(a, s->fields[i].type),
            .not_null = s->fields[i].required,
            .comment = s->fields[i].doc,
            .field_id = s->fields[i].id,
        };
    add_hidden_columns(t);
    *ret = t;
    return 0;
}

static void release_table(struct connector_table *t)
{
    struct iceberg_handle *handle = t->handle;

    iceberg_metadata_unref(handle->metadata);
    handle->metadata = NULL;
}

static int show_table_properties(struct connector *c, struct arena *a, const struct connector_table *t, struct str *ret,
                                 struct err *err)
{
    const struct iceberg_metadata *m = ((const struct iceberg_handle *)t->handle)->metadata;
    const struct iceberg_spec *spec = iceberg_default_spec(m);
    struct str retries = iceberg_property(m, "commit.retry.num-retries");
    BUF_SCOPED struct buf text;

    (void)c;
    buf_init(&text, 1 << 20);
    buf_addf(&text, "   format = 'PARQUET',\n   format_version = %d,\n   location = '%.*s'", m->format_version,
             STR_ARG(m->location));
    if (!str_is_null(retries))
        buf_addf(&text, ",\n   max_commit_retry = %.*s", STR_ARG(retries));
    for (size_t i = 0; spec && i < spec->field_count; i++) {
        struct str one = iceberg_partition_format(a, iceberg_current_schema(m), &spec->fields[i]);

        buf_addf(&text, "%s'%.*s'", i ? "," : ",\n   partitioning = ARRAY[", STR_ARG(one));
        if (i + 1 == spec->field_count)
            buf_add_char(&text, ']');
    }
    int rc = buf_check(&text, "the table's properties", err);
    if (rc == 0)
        *ret = arena_str(a, buf_str(&text));
    return rc;
}

static int show_schema_properties(struct connector *c, struct arena *a, struct str schema, struct str *ret,
                                  struct err *err)
{
    struct str location;
    int rc = catalog_namespace_location(iceberg_of(c)->tables, a, iceberg_of(c)->warehouse, schema, &location, err);

    if (rc == 0)
        *ret = arena_printf(a, "   location = '%.*s'", STR_ARG(location));
    return rc;
}

/* ---- DDL ---- */

static int create_schema(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct catalog_property location = {STR("location"), text_property(s, "location", STR_NULL)};
    struct str bucket, key;

    (void)a;
    if (str_is_null(location.value))
        return catalog_create_namespace(iceberg_of(c)->tables, s->schema, NULL, 0, err);
    struct str whole = arena_printf(a, "%.*s/", STR_ARG(catalog_without_last_slashes(location.value)));
    int rc = catalog_files_split(whole, &bucket, &key, err);
    if (rc < 0)
        return err_set_named(err, ERR_INVALID, "INVALID_SCHEMA_PROPERTY", "Invalid location URI: %.*s",
                             STR_ARG(location.value));
    return catalog_create_namespace(iceberg_of(c)->tables, s->schema, &location, 1, err);
}

static int drop_table(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct iceberg_connector *ic = iceberg_of(c);

    (void)a;
    return catalog_purge_table(ic->tables, ic->cache, ic->objects, s->schema, s->table, err);
}

static int drop_schema(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct connector_table_name *tables;
    size_t n;
    int rc = list_tables(c, a, s->schema, &tables, &n, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; s->cascade && i < n; i++) {
        struct statement one = {.schema = s->schema, .table = tables[i].name};

        rc = drop_table(c, a, &one, err);
        if (rc < 0)
            return rc;
    }
    return catalog_drop_namespace(iceberg_of(c)->tables, s->schema, err);
}

static int create_table(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct iceberg_connector *ic = iceberg_of(c);
    struct iceberg_new_table t;
    int rc = iceberg_describe_table(ic, a, s, &t, err);

    if (rc < 0)
        return rc;
    const struct iceberg_commit commit = {
        .cache = ic->cache,
        .io = &ic->io,
        .pointer = catalog_pointer(ic->tables, a, s->schema, s->table),
    };
    return iceberg_create_table(&commit, a, &t, NULL, 0, err);
}

static int rename_table(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    (void)a;
    return catalog_rename_table(iceberg_of(c)->tables, s->schema, s->table, s->new_schema, s->new_table, err);
}

/* ---- the connector ---- */

static void close_connector(struct connector *c)
{
    struct iceberg_connector *ic = iceberg_of(c);

    iceberg_layouts_free(ic->layouts);
    iceberg_cache_free(ic->cache);
    arena_release(&ic->arena);
    free(ic);
}

static const struct connector_ops ops = {
    .kind = "iceberg",
    .list_schemas = list_schemas,
    .list_tables = list_tables,
    .get_table = get_table,
    .release_table = release_table,
    .plan_scan = iceberg_plan,
    .release_pin = iceberg_release_plan,
    .create_schema = create_schema,
    .drop_schema = drop_schema,
    .create_table = create_table,
    .drop_table = drop_table,
    .rename_table = rename_table,
    .table_properties = show_table_properties,
    .schema_properties = show_schema_properties,
    .table_property_defs = table_property_defs,
    .table_property_count = ARRAY_LEN(table_property_defs),
    .schema_property_defs = schema_property_defs,
    .schema_property_count = ARRAY_LEN(schema_property_defs),
    .manages_security = true,
    .begin_write = iceberg_begin_write,
    .finish_write = iceberg_finish_write,
    .abort_write = iceberg_abort_write,
    .delete_all = iceberg_delete_rows,
    .row_ids = {"$path", ""},
    .begin_delete = iceberg_begin_delete,
    .finish_delete = iceberg_finish_delete,
    .abort_delete = iceberg_abort_delete,
    .close = close_connector,
};

int iceberg_connector_new(const struct iceberg_options *o, struct connector **ret, struct err *err)
{
    struct iceberg_connector *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    c->base = (struct connector){.ops = &ops, .catalog = arena_str(&c->arena, o->catalog)};
    c->warehouse = arena_str(&c->arena, catalog_without_last_slashes(o->warehouse));
    c->tables = o->tables;
    c->objects = o->objects;
    c->engine = o->engine;
    c->layouts = iceberg_layouts_new(o->engine);
    catalog_files_init(&c->io, o->objects);
    int rc = iceberg_cache_new(CACHE_BYTES, &c->io, &c->cache, err);
    if (rc < 0) {
        close_connector(&c->base);
        return rc;
    }
    *ret = &c->base;
    return 0;
}
