/*
 * DELETE with a filter, merge-on-read: the engine gathers which rows of which data files match, in a table of its own that
 * may spill; then each of these files gets a position delete file, sorted as the specification has it, and one commit adds
 * them all. One for each data file is what Trino writes too: a reader opens no more than it needs.
 */
#include "base/map.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "connectors/iceberg_internal.h"
#include "emit/emit.h"
#include "iceberg/cache.h"
#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { TEXT_MAX = 1 << 20 };

struct connector_delete {
    struct iceberg_connector *c;
    struct arena arena;
    struct iceberg_metadata *m; /* a reference: what the rows are read from */
    struct str schema_name, table_name, query_id;
    struct str rows; /* the engine's table */
    struct iceberg_scan scan;
    struct map by_path; /* location → const struct iceberg_data_file *, of `scan` */
    VEC(struct iceberg_new_deletes) files;
    VEC(struct objects_publish) publish; /* as many */
};

static int run(struct connector_delete *d, const char *sql, struct err *err)
{
    struct engine_conn *conn;
    int rc = engine_acquire(d->c->engine, &conn, err);

    if (rc < 0)
        return rc;
    rc = engine_exec(conn, str_from_cstr(sql), err);
    engine_release(conn);
    return rc;
}

static void delete_free(struct connector_delete *d)
{
    for (size_t i = 0; i < d->publish.n; i++)
        objects_unstage(d->publish.items[i].staged);
    vec_release(&d->publish);
    vec_release(&d->files);
    /* It is gone at the next start in any case. */
    if (!str_is_null(d->rows))
        (void)!run(d, arena_printf(&d->arena, "DROP TABLE IF EXISTS %.*s", STR_ARG(d->rows)).p, NULL);
    if (d->scan.pin)
        iceberg_scan_release(&d->scan);
    map_release(&d->by_path);
    iceberg_metadata_unref(d->m);
    arena_release(&d->arena);
    free(d);
}

int iceberg_begin_delete(struct connector *c, struct arena *a, const struct connector_write_request *r,
                         struct connector_delete **ret, struct str *ret_before, struct str *ret_after, struct err *err)
{
    static atomic_uint counter;
    const struct connector_table *t = r->statement->target;
    const struct iceberg_metadata *m = ((struct iceberg_handle *)t->handle)->metadata;

    if (m->format_version != 2)
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                             "Deleting rows of an Iceberg table of format version %d is not supported",
                             m->format_version);
    struct connector_delete *d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    d->c = iceberg_of(c);
    d->m = iceberg_metadata_ref((struct iceberg_metadata *)m);
    d->schema_name = arena_str(&d->arena, t->schema);
    d->table_name = arena_str(&d->arena, t->name);
    d->query_id = arena_str(&d->arena, r->query_id);
    d->rows = arena_printf(&d->arena, "dp_deleted_%u", atomic_fetch_add(&counter, 1));
    *ret_before = arena_printf(a, "CREATE TABLE %.*s AS SELECT c%d AS file_path, c%d AS pos FROM (", STR_ARG(d->rows),
                               r->columns[0].id, r->columns[1].id);
    *ret_after = STR(") source");
    *ret = d;
    return 0;
}

void iceberg_abort_delete(struct connector *c, struct connector_delete *d)
{
    (void)c;
    delete_free(d);
}

static int find_data_files(struct connector_delete *d, struct err *err)
{
    int rc = iceberg_plan_scan(d->c->cache, &d->arena, d->m, iceberg_current_snapshot(d->m), NULL, 0, &d->scan, err);

    for (size_t i = 0; rc == 0 && i < d->scan.file_count; i++)
        map_set(&d->by_path, d->scan.files[i]->path, (void *)d->scan.files[i]);
    return rc;
}

/* Which data files have rows to delete, and how many. */
static int count_rows(struct connector_delete *d, int64_t *ret_rows, struct err *err)
{
    struct engine_conn *conn;
    struct engine_result *result;
    duckdb_data_chunk chunk;
    int rc = engine_acquire(d->c->engine, &conn, err);

    if (rc < 0)
        return rc;
    struct str sql = arena_printf(&d->arena, "SELECT file_path, CAST(count(*) AS BIGINT) FROM %.*s GROUP BY 1",
                                  STR_ARG(d->rows));
    rc = engine_query(conn, sql, &result, err);
    bool is_open = rc == 0;
    while (rc == 0 && (rc = engine_next(result, &chunk, err)) == 1) {
        duckdb_string_t *paths = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        const int64_t *counts = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));

        rc = 0;
        for (uint64_t i = 0; rc == 0 && i < duckdb_data_chunk_get_size(chunk); i++) {
            struct str path = str_from(duckdb_string_t_data(&paths[i]), duckdb_string_t_length(paths[i]));
            const struct iceberg_data_file *file = map_get(&d->by_path, path);

            if (!file)
                rc = err_set(err, ERR_INTERNAL, "rows of %.*s, which isn't the table's, were to be deleted",
                             STR_ARG(path));
            else
                vec_push(&d->files, ((struct iceberg_new_deletes){.record_count = counts[i], .data_file = file}));
            *ret_rows += counts[i];
        }
        duckdb_destroy_data_chunk(&chunk);
    }
    if (is_open)
        engine_result_free(result);
    engine_release(conn);
    return rc;
}

/* Field ids and names are the specification's (Reserved Field IDs, Position Delete Files). */
static int write_file(struct connector_delete *d, struct iceberg_new_deletes *f, struct str data_folder,
                      struct err *err)
{
    struct objects_publish p = {.content_type = STR("application/vnd.apache.parquet")};
    BUF_SCOPED struct buf sql;
    char id[UUID_TEXT_SIZE];
    struct str path;
    struct stat st;
    int rc = objects_stage(d->c->objects, &d->arena, &p.staged, &path, err);

    if (rc < 0)
        return rc;
    uuid_v4(id);
    f->path = arena_printf(&d->arena, "%.*s/%.*s-%s-deletes.parquet", STR_ARG(data_folder), STR_ARG(d->query_id), id);
    rc = catalog_files_split(f->path, &p.bucket, &p.key, err);
    vec_push(&d->publish, p);
    buf_init(&sql, TEXT_MAX);
    buf_addf(&sql, "COPY (SELECT file_path, pos FROM %.*s WHERE file_path = ", STR_ARG(d->rows));
    emit_string(&sql, f->data_file->path);
    buf_add_cstr(&sql, " ORDER BY pos) TO ");
    emit_string(&sql, path);
    buf_add_cstr(&sql, " (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, "
                       "FIELD_IDS {file_path: 2147483546, pos: 2147483545})");
    if (rc == 0)
        rc = buf_check(&sql, "the statement that writes deletes", err);
    if (rc == 0)
        rc = run(d, buf_cstr(&sql), err);
    if (rc == 0 && stat(path.p, &st) != 0)
        rc = err_set_errno(err, errno, "%s", path.p);
    if (rc == 0)
        f->file_size = st.st_size;
    return rc;
}

static struct str data_folder(struct connector_delete *d)
{
    struct str path = iceberg_property(d->m, "write.data.path");

    return str_is_null(path)
               ? arena_printf(&d->arena, "%.*s/data", STR_ARG(catalog_without_last_slashes(d->m->location)))
               : path;
}

static int commit(struct connector_delete *d, struct err *err)
{
    const struct str names[] = {STR("trino_query_id")}, values[] = {d->query_id};
    const struct iceberg_commit c = {
        .cache = d->c->cache,
        .io = &d->c->io,
        .pointer = catalog_pointer(d->c->tables, &d->arena, d->schema_name, d->table_name),
        .summary_names = names,
        .summary_values = values,
        .summary_count = 1,
    };
    int rc = objects_publish(d->c->objects, d->publish.items, d->publish.n, false, err);

    d->publish.n = 0; /* they are freed, also on error */
    if (rc < 0)
        return rc;
    rc = iceberg_delete_positions(&c, d->m->current_snapshot_id, d->files.items, d->files.n, err);
    if (rc < 0) {
        struct str *locations = arena_array(&d->arena, struct str, d->files.n);

        for (size_t i = 0; i < d->files.n; i++)
            locations[i] = d->files.items[i].path;
        /* What can't be removed is no table's and stays as an orphan. */
        (void)!d->c->io.remove(d->c->io.ctx, locations, d->files.n, NULL);
    }
    return rc;
}

static int drain(struct engine_result *result, struct err *err)
{
    duckdb_data_chunk chunk;
    int rc;

    while ((rc = engine_next(result, &chunk, err)) == 1)
        duckdb_destroy_data_chunk(&chunk);
    return rc;
}

int iceberg_finish_delete(struct connector *c, struct connector_delete *d, struct engine_result *result,
                          struct connector_written *ret, struct err *err)
{
    struct connector_written written = {0};
    int rc = drain(result, err);

    (void)c;
    if (rc == 0)
        rc = find_data_files(d, err);
    if (rc == 0)
        rc = count_rows(d, &written.rows, err);
    for (size_t i = 0; rc == 0 && i < d->files.n; i++) {
        rc = write_file(d, &d->files.items[i], data_folder(d), err);
        written.bytes += (uint64_t)d->files.items[i].file_size;
    }
    if (rc == 0 && d->files.n > 0)
        rc = commit(d, err);
    if (rc == 0)
        *ret = written;
    delete_free(d);
    return rc;
}
