/*
 * CTAS and INSERT: the engine copies the source's rows to Parquet in the store's staging, with Iceberg's field ids; then the
 * files become objects in one transaction and the table's metadata names them. Until that last step nothing of it can be
 * seen through SQL, and what a failure leaves is removed.
 */
#include "base/uuid.h"
#include "base/vec.h"
#include "connectors/iceberg_internal.h"
#include "emit/emit.h"
#include "os/file.h"
#include <errno.h>
#include <sys/stat.h>

enum { TEXT_MAX = 4 << 20 }; /* bytes of SQL around the source */

struct connector_write {
    struct iceberg_connector *c;
    struct arena arena;
    const struct statement *statement;
    struct str query_id;
    struct iceberg_new_table table;  /* CTAS */
    struct iceberg_metadata *target; /* INSERT: a reference */
    struct str schema_name, table_name;
    const struct iceberg_schema *schema;
    const struct iceberg_spec *spec;
    struct str data_folder; /* location of new data files, without a last slash */
    struct objects_staged *staged;
    struct str path; /* of the staged file; with partitions, of the folder made beside it */
    bool is_partitioned;
};

static void write_free(struct connector_write *w)
{
    if (w->is_partitioned && !str_is_null(w->path))
        (void)!file_remove_tree(w->path.p, NULL);
    objects_unstage(w->staged);
    iceberg_metadata_unref(w->target);
    arena_release(&w->arena);
    free(w);
}

/* ---- the statement around the source ---- */

/* The source's column for the table's column i, or NULL: INSERT left it out. */
static const struct column *source_of(const struct connector_write *w, const struct connector_write_request *r,
                                      size_t i)
{
    if (w->statement->kind != STATEMENT_INSERT)
        return &r->columns[i];
    for (size_t k = 0; k < w->statement->insert_count; k++)
        if (w->statement->insert_columns[k] == i)
            return &r->columns[k];
    return NULL;
}

static void add_field_ids(struct buf *to, const struct iceberg_field *f)
{
    const struct iceberg_type *t = f->type;

    emit_string(to, f->name);
    if (t->field_count == 0) {
        buf_addf(to, ": %d", f->id);
        return;
    }
    buf_addf(to, ": {__duckdb_field_id: %d", f->id);
    for (size_t i = 0; i < t->field_count; i++) {
        buf_add_cstr(to, ", ");
        add_field_ids(to, &t->fields[i]);
    }
    buf_add_char(to, '}');
}

static const struct iceberg_field *field_by_id(const struct iceberg_schema *s, int id)
{
    for (size_t i = 0; i < s->field_count; i++)
        if (s->fields[i].id == id)
            return &s->fields[i];
    return NULL;
}

/* Whole units of us microseconds since 1970, rounded down. All in integers: the microseconds of far years have more
 * digits than a double, and one that is rounded up ends in the next day's partition. */
static void add_floor_division(struct buf *to, struct str column, long long us)
{
    buf_addf(to, "CAST((epoch_us(%.*s) - ((epoch_us(%.*s) %% %lld) + %lld) %% %lld) // %lld AS INTEGER)",
             STR_ARG(column), STR_ARG(column), us, us, us, us);
}

/* A transform in SQL over a file's column (specification: Partition Transforms). */
static int add_transform(struct buf *to, const struct iceberg_partition_field *f, const struct iceberg_field *source,
                         struct err *err)
{
    BUF_SCOPED struct buf name;
    enum iceberg_type_kind kind = source->type->kind;
    bool has_time = kind == ICEBERG_TIMESTAMP || kind == ICEBERG_TIMESTAMPTZ;

    buf_init(&name, TEXT_MAX);
    emit_identifier(&name, source->name);
    struct str c = buf_str(&name);
    switch (f->transform) {
    case ICEBERG_IDENTITY:
        if (kind == ICEBERG_BINARY) /* the engine names a partition's folder by the value, and names are text */
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "Writing to tables partitioned by a varbinary column is not supported");
        buf_add_str(to, c);
        return 0;
    case ICEBERG_YEAR:
        buf_addf(to, "(year(%.*s) - 1970)", STR_ARG(c));
        return 0;
    case ICEBERG_MONTH:
        buf_addf(to, "((year(%.*s) - 1970) * 12 + month(%.*s) - 1)", STR_ARG(c), STR_ARG(c));
        return 0;
    case ICEBERG_DAY:
        if (has_time)
            add_floor_division(to, c, 86400000000);
        else
            buf_addf(to, "date_diff('day', DATE '1970-01-01', %.*s)", STR_ARG(c));
        return 0;
    case ICEBERG_HOUR:
        add_floor_division(to, c, 3600000000);
        return 0;
    case ICEBERG_TRUNCATE:
        if (kind == ICEBERG_STRING)
            buf_addf(to, "left(%.*s, %d)", STR_ARG(c), f->param);
        else if (kind == ICEBERG_INT || kind == ICEBERG_LONG)
            buf_addf(to, "(%.*s - ((%.*s %% %d) + %d) %% %d)", STR_ARG(c), STR_ARG(c), f->param, f->param, f->param);
        else
            break;
        return 0;
    case ICEBERG_VOID:
        buf_add_cstr(to, "CAST(NULL AS INTEGER)");
        return 0;
    case ICEBERG_BUCKET:
    case ICEBERG_UNKNOWN_TRANSFORM:
        break;
    }
    return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Writing to tables partitioned by %s is not supported",
                         f->transform == ICEBERG_BUCKET     ? "bucket"
                         : f->transform == ICEBERG_TRUNCATE ? "truncate of this type"
                                                            : "an unknown transform");
}

static int add_partitions(struct connector_write *w, struct buf *columns, struct buf *options, struct err *err)
{
    buf_add_cstr(options, ", PARTITION_BY (");
    for (size_t i = 0; i < w->spec->field_count; i++) {
        const struct iceberg_partition_field *f = &w->spec->fields[i];
        const struct iceberg_field *source = field_by_id(w->schema, f->source_id);

        if (!source)
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "Writing to tables partitioned by a nested field is not supported");
        buf_add_cstr(columns, ", ");
        int rc = add_transform(columns, f, source, err);
        if (rc < 0)
            return rc;
        buf_addf(columns, " AS dp_partition_%zu", i);
        buf_addf(options, "%sdp_partition_%zu", i ? ", " : "", i);
    }
    buf_add_cstr(options, "), WRITE_PARTITION_COLUMNS false, FILENAME_PATTERN '{uuid}'");
    return 0;
}

static int add_columns(const struct connector_write *w, const struct connector_write_request *r, struct buf *to,
                       struct err *err)
{
    for (size_t i = 0; i < w->schema->field_count; i++) {
        const struct iceberg_field *f = &w->schema->fields[i];
        const struct column *source = source_of(w, r, i);

        if (i)
            buf_add_cstr(to, ", ");
        if (source) {
            struct str name = arena_printf((struct arena *)&w->arena, "c%d", source->id);
            if (f->required) {
                buf_addf(to,
                         "CASE WHEN %.*s IS NULL THEN error('dp:CONSTRAINT_VIOLATION:NULL value not allowed for NOT "
                         "NULL column: ' || ",
                         STR_ARG(name));
                emit_string(to, f->name);
                buf_add_cstr(to, ") ELSE ");
            }
            iceberg_write_value(to, f->type, source->type, name);
            if (f->required)
                buf_add_cstr(to, " END");
        } else if (f->required) {
            return err_set_named(err, ERR_INVALID, "CONSTRAINT_VIOLATION",
                                 "NULL value not allowed for NOT NULL column: %.*s", STR_ARG(f->name));
        } else {
            buf_add_cstr(to, "CAST(NULL AS ");
            iceberg_format_file_type(to, f->type);
            buf_add_char(to, ')');
        }
        buf_add_cstr(to, " AS ");
        emit_identifier(to, f->name);
    }
    return 0;
}

static struct str table_property(const struct connector_write *w, const char *name)
{
    if (w->target)
        return iceberg_property(w->target, name);
    for (size_t i = 0; i < w->table.property_count; i++)
        if (str_eq_cstr(w->table.property_names[i], name))
            return w->table.property_values[i];
    return STR_NULL;
}

/* The codec of write.parquet.compression-codec in the engine's words. */
static struct str engine_codec(const struct connector_write *w)
{
    struct str codec = table_property(w, "write.parquet.compression-codec");
    static const char *const known[] = {"zstd", "snappy", "gzip", "lz4_raw", "uncompressed"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq_nocase(codec, str_from_cstr(known[i])))
            return str_from_cstr(known[i]);
    return str_eq_nocase(codec, STR("lz4")) ? STR("lz4_raw") : STR("zstd");
}

/* zstd's level of write.parquet.compression-level. Unset, it is zstd's fast -1: of lineitem it makes a file larger by an
 * eighth than level 3 does, and is written a fifth and read a tenth faster. */
static void add_level(const struct connector_write *w, struct buf *to)
{
    int64_t level;

    if (!str_eq_cstr(engine_codec(w), "zstd"))
        return;
    if (str_to_i64(table_property(w, "write.parquet.compression-level"), &level, NULL) < 0 || level < 1 || level > 22)
        level = -1;
    buf_addf(to, ", COMPRESSION_LEVEL %lld", (long long)level);
}

static int write_text(struct connector_write *w, struct arena *a, const struct connector_write_request *r,
                      struct str *ret_before, struct str *ret_after, struct err *err)
{
    BUF_SCOPED struct buf before, after;
    int rc;

    buf_init(&before, TEXT_MAX);
    buf_init(&after, TEXT_MAX);
    /* Partition expressions are over the table's columns, so these are made one level further in. */
    buf_add_cstr(&before, w->is_partitioned ? "COPY (SELECT *" : "COPY (SELECT ");
    buf_add_cstr(&after, w->is_partitioned ? ") source) written) TO " : ") source) TO ");
    emit_string(&after, w->path);
    buf_addf(&after, " (FORMAT parquet, RETURN_STATS, COMPRESSION %.*s", STR_ARG(engine_codec(w)));
    add_level(w, &after);
    if (!w->is_partitioned) /* staging's file is nobody else's */
        buf_add_cstr(&after, ", USE_TMP_FILE false");
    rc = w->is_partitioned ? add_partitions(w, &before, &after, err) : 0;
    if (rc < 0)
        return rc;
    if (w->is_partitioned)
        buf_add_cstr(&before, " FROM (SELECT ");
    rc = add_columns(w, r, &before, err);
    if (rc < 0)
        return rc;
    buf_add_cstr(&before, " FROM (");
    buf_add_cstr(&after, ", FIELD_IDS {");
    for (size_t i = 0; i < w->schema->field_count; i++) {
        if (i)
            buf_add_cstr(&after, ", ");
        add_field_ids(&after, &w->schema->fields[i]);
    }
    buf_add_cstr(&after, "})");
    rc = buf_check(&before, "the statement that writes the table", err);
    if (rc == 0)
        rc = buf_check(&after, "the statement that writes the table", err);
    if (rc < 0)
        return rc;
    *ret_before = arena_str(a, buf_str(&before));
    *ret_after = arena_str(a, buf_str(&after));
    return 0;
}

/* ---- begin ---- */

static int describe_target(struct connector_write *w, const struct connector_write_request *r, struct err *err)
{
    const struct statement *s = r->statement;
    struct str location;
    int rc = 0;

    if (s->kind == STATEMENT_INSERT) {
        w->target = iceberg_metadata_ref(((struct iceberg_handle *)s->target->handle)->metadata);
        w->schema = iceberg_current_schema(w->target);
        w->spec = iceberg_default_spec(w->target);
        w->schema_name = s->target->schema;
        w->table_name = s->target->name;
        location = w->target->location;
    } else {
        rc = iceberg_describe_table(w->c, &w->arena, s, &w->table, err);
        w->schema = &w->table.schema;
        w->spec = &w->table.spec;
        w->schema_name = s->schema;
        w->table_name = s->table;
        location = w->table.location;
    }
    if (rc < 0)
        return rc;
    w->is_partitioned = w->spec && w->spec->field_count > 0;
    struct str data = w->target ? iceberg_property(w->target, "write.data.path") : STR_NULL;
    w->data_folder = str_is_null(data) ? arena_printf(&w->arena, "%.*s/data", STR_ARG(location)) : data;
    return 0;
}

/* The engine writes all binary as Parquet's BYTE_ARRAY, which other readers refuse for Iceberg's fixed. */
static bool has_fixed(const struct iceberg_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fields[i].type->kind == ICEBERG_FIXED || has_fixed(fields[i].type->fields, fields[i].type->field_count))
            return true;
    return false;
}

int iceberg_begin_write(struct connector *c, struct arena *a, const struct connector_write_request *r,
                        struct connector_write **ret, struct str *ret_before, struct str *ret_after, struct err *err)
{
    struct connector_write *w = calloc(1, sizeof(*w));
    struct str path = STR_NULL;
    int rc;

    if (!w)
        abort();
    w->c = iceberg_of(c);
    w->statement = r->statement;
    w->query_id = arena_str(&w->arena, r->query_id);
    rc = describe_target(w, r, err);
    if (rc == 0 && has_fixed(w->schema->fields, w->schema->field_count))
        rc = err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                           "Writing to tables with a column of Iceberg's type fixed is not supported");
    if (rc == 0)
        rc = objects_stage(w->c->objects, &w->arena, &w->staged, &path, err);
    if (rc == 0) {
        w->path = w->is_partitioned ? arena_printf(&w->arena, "%.*s.parts", STR_ARG(path)) : path;
        rc = write_text(w, a, r, ret_before, ret_after, err);
    }
    if (rc < 0) {
        write_free(w);
        return rc;
    }
    *ret = w;
    return 0;
}

void iceberg_abort_write(struct connector *c, struct connector_write *w)
{
    (void)c;
    write_free(w);
}

/* ---- what the engine wrote ---- */

/* The parts of a chunk's MAP(VARCHAR, …) in one row. */
struct map_slice {
    uint64_t from, n;
    duckdb_vector keys, values;
};

static bool is_valid(duckdb_vector v, uint64_t row)
{
    uint64_t *validity = duckdb_vector_get_validity(v);

    return !validity || duckdb_validity_row_is_valid(validity, row);
}

static struct map_slice map_at(duckdb_vector v, uint64_t row)
{
    const duckdb_list_entry *entries = duckdb_vector_get_data(v);
    duckdb_vector pairs = duckdb_list_vector_get_child(v);

    return (struct map_slice){
        .from = entries[row].offset,
        .n = is_valid(v, row) ? entries[row].length : 0,
        .keys = duckdb_struct_vector_get_child(pairs, 0),
        .values = duckdb_struct_vector_get_child(pairs, 1),
    };
}

static struct str text_at(struct arena *a, duckdb_vector v, uint64_t row)
{
    duckdb_string_t *texts = duckdb_vector_get_data(v);

    if (!is_valid(v, row))
        return STR_NULL;
    return arena_str(a, (struct str){duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row])});
}

static void read_stats(struct arena *a, struct map_slice columns, struct iceberg_stat **ret)
{
    *ret = arena_array(a, struct iceberg_stat, columns.n);
    for (uint64_t i = 0; i < columns.n; i++) {
        struct map_slice values = map_at(columns.values, columns.from + i);
        struct iceberg_stat *s = &(*ret)[i];

        s->path = text_at(a, columns.keys, columns.from + i);
        s->n = values.n;
        s->names = arena_array(a, struct str, values.n);
        s->values = arena_array(a, struct str, values.n);
        for (uint64_t k = 0; k < values.n; k++) {
            s->names[k] = text_at(a, values.keys, values.from + k);
            s->values[k] = text_at(a, values.values, values.from + k);
        }
    }
}

static int read_partition(const struct connector_write *w, struct arena *a, struct map_slice keys,
                          struct iceberg_new_file *to, struct err *err)
{
    to->partition = arena_array(a, struct iceberg_value, w->spec->field_count);
    for (size_t i = 0; i < w->spec->field_count; i++)
        to->partition[i].is_null = true;
    for (uint64_t k = 0; k < keys.n; k++) {
        struct str name = text_at(a, keys.keys, keys.from + k), text = text_at(a, keys.values, keys.from + k);
        int64_t at;

        if (!str_starts_with(name, STR("dp_partition_")) ||
            str_to_i64(str_skip(name, strlen("dp_partition_")), &at, NULL) < 0 || at < 0 ||
            (size_t)at >= w->spec->field_count)
            return err_set(err, ERR_INTERNAL, "the engine names a partition column %.*s", STR_ARG(name));
        if (str_is_null(text))
            continue;
        const struct iceberg_partition_field *f = &w->spec->fields[at];
        const struct iceberg_type *source = field_by_id(w->schema, f->source_id)->type;
        const struct iceberg_type *t = iceberg_transform_type(a, f, source);
        static const struct iceberg_type days = {.kind = ICEBERG_INT}; /* the engine gives a day as its number */
        if (!iceberg_value_from_text(a, f->transform == ICEBERG_DAY ? &days : t, text, &to->partition[at]))
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "The partition value %.*s is not supported",
                                 STR_ARG(text));
    }
    return 0;
}

/* Where the row groups start: Iceberg's split offsets. */
static int read_splits(const struct connector_write *w, struct arena *a, struct str path, struct iceberg_new_file *to,
                       struct err *err)
{
    struct {
        int64_t *items;
        size_t n, cap;
    } found = {0};
    BUF_SCOPED struct buf sql;
    struct engine_conn *conn;
    struct engine_result *result;
    duckdb_data_chunk chunk;
    int rc = engine_acquire(w->c->engine, &conn, err);

    if (rc < 0)
        return rc;
    buf_init(&sql, TEXT_MAX);
    buf_add_cstr(&sql, "SELECT CAST(min(least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), "
                       "data_page_offset)) AS BIGINT) FROM parquet_metadata(");
    emit_string(&sql, path);
    buf_add_cstr(&sql, ") GROUP BY row_group_id ORDER BY 1");
    rc = engine_query(conn, buf_str(&sql), &result, err);
    while (rc == 0 && (rc = engine_next(result, &chunk, err)) == 1) {
        const int64_t *offsets = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));

        for (uint64_t i = 0; i < duckdb_data_chunk_get_size(chunk); i++)
            vec_push_in(a, &found, offsets[i]);
        duckdb_destroy_data_chunk(&chunk);
        rc = 0;
        if (found.n > 100000)
            break;
    }
    if (rc >= 0)
        engine_result_free(result);
    engine_release(conn);
    to->split_offsets = found.items;
    to->split_count = found.n;
    return rc < 0 ? rc : 0;
}

struct written {
    struct iceberg_new_file *items;
    size_t n, cap;
    struct objects_publish *publish; /* as many as items */
    size_t publish_n, publish_cap;
    int64_t rows;
    uint64_t bytes;
};

/* A file of the engine's becomes one of staging's own, so that it can be published. */
static int take_file(struct connector_write *w, struct arena *a, struct str path, struct written *to, struct err *err)
{
    struct objects_publish p = {.content_type = STR("application/vnd.apache.parquet")};
    char id[UUID_TEXT_SIZE];
    struct str own, location;
    int rc = 0;

    if (w->is_partitioned) {
        rc = objects_stage(w->c->objects, a, &p.staged, &own, err);
        if (rc == 0 && rename(path.p, own.p) != 0) {
            rc = err_set_errno(err, errno, "can't move %s", path.p);
            objects_unstage(p.staged);
        }
    } else {
        p.staged = w->staged;
        w->staged = NULL;
    }
    if (rc < 0)
        return rc;
    uuid_v4(id);
    location = arena_printf(a, "%.*s/%.*s-%s.parquet", STR_ARG(w->data_folder), STR_ARG(w->query_id), id);
    vec_push_in(a, to, ((struct iceberg_new_file){.path = location}));
    rc = catalog_files_split(location, &p.bucket, &p.key, err);
    if (to->publish_n == to->publish_cap)
        to->publish = vec_grow_in(a, to->publish, &to->publish_cap, to->publish_n, sizeof(*to->publish));
    to->publish[to->publish_n++] = p;
    return rc;
}

/* A row of RETURN_STATS: filename, count, file_size_bytes, footer_size_bytes, column_statistics, partition_keys. */
static int take_row(struct connector_write *w, struct arena *a, duckdb_data_chunk chunk, uint64_t row,
                    struct written *to, struct err *err)
{
    struct str path = text_at(a, duckdb_data_chunk_get_vector(chunk, 0), row);
    uint64_t count = ((uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1)))[row];
    uint64_t size = ((uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 2)))[row];
    struct map_slice columns = map_at(duckdb_data_chunk_get_vector(chunk, 4), row);
    struct iceberg_new_file file = {.record_count = (int64_t)count, .file_size = (int64_t)size};
    struct iceberg_stat *stats;
    int rc;

    if (count == 0) /* an empty source still makes a file, which the table doesn't need */
        return 0;
    read_stats(a, columns, &stats);
    rc = iceberg_take_stats(a, w->schema, stats, columns.n, &file, err);
    if (rc == 0 && w->is_partitioned)
        rc = read_partition(w, a, map_at(duckdb_data_chunk_get_vector(chunk, 5), row), &file, err);
    if (rc == 0)
        rc = read_splits(w, a, path, &file, err);
    if (rc == 0)
        rc = take_file(w, a, path, to, err);
    if (rc < 0)
        return rc;
    file.path = to->items[to->n - 1].path;
    to->items[to->n - 1] = file;
    to->rows += file.record_count;
    to->bytes += size;
    return 0;
}

static int take_result(struct connector_write *w, struct arena *a, struct engine_result *result, struct written *to,
                       struct err *err)
{
    duckdb_data_chunk chunk;
    int rc = 0;

    while (rc == 0 && (rc = engine_next(result, &chunk, err)) == 1) {
        rc = 0;
        for (uint64_t i = 0; rc == 0 && i < duckdb_data_chunk_get_size(chunk); i++)
            rc = take_row(w, a, chunk, i, to, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    return rc;
}

/* ---- finish ---- */

static int commit_table(struct connector_write *w, struct arena *a, const struct written *files, struct err *err)
{
    const struct str names[] = {STR("trino_query_id")}, values[] = {w->query_id};
    const struct iceberg_commit commit = {
        .cache = w->c->cache,
        .io = &w->c->io,
        .pointer = catalog_pointer(w->c->tables, a, w->schema_name, w->table_name),
        .summary_names = names,
        .summary_values = values,
        .summary_count = 1,
    };

    if (w->target)
        return files->n ? iceberg_append(&commit, a, files->items, files->n, err) : 0;
    return iceberg_create_table(&commit, a, &w->table, files->items, files->n, err);
}

static void unpublish(struct connector_write *w, struct arena *a, const struct written *files)
{
    struct str *locations = arena_array(a, struct str, files->n);

    for (size_t i = 0; i < files->n; i++)
        locations[i] = files->items[i].path;
    /* What can't be removed now is no table's and stays as an orphan; the failure that led here is what's reported. */
    (void)!w->c->io.remove(w->c->io.ctx, locations, files->n, NULL);
}

int iceberg_finish_write(struct connector *c, struct connector_write *w, struct engine_result *result,
                         struct connector_written *ret, struct err *err)
{
    struct arena *a = &w->arena;
    struct written files = {0};
    int rc = take_result(w, a, result, &files, err);

    (void)c;
    if (rc < 0) {
        for (size_t i = 0; i < files.publish_n; i++)
            objects_unstage(files.publish[i].staged);
    } else if (files.n > 0) {
        rc = objects_publish(w->c->objects, files.publish, files.publish_n, false, err);
    }
    if (rc == 0) {
        rc = commit_table(w, a, &files, err);
        if (rc < 0)
            unpublish(w, a, &files);
    }
    if (rc == 0)
        *ret = (struct connector_written){files.rows, files.bytes};
    write_free(w);
    return rc;
}

int iceberg_delete_rows(struct connector *c, struct arena *a, const struct connector_table *t, int64_t *ret_rows,
                        struct err *err)
{
    struct iceberg_connector *ic = iceberg_of(c);
    const struct iceberg_commit commit = {
        .cache = ic->cache,
        .io = &ic->io,
        .pointer = catalog_pointer(ic->tables, a, t->schema, t->name),
    };

    return iceberg_delete_all(&commit, a, ret_rows, err);
}
