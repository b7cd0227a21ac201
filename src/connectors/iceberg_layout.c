/*
 * Layouts of data files: the names, field ids and types of a Parquet file's top-level columns, from its footer.
 *
 * The engine reads columns by name with all that Parquet's statistics allow (row groups skipped, filters and join keys
 * pushed into the scan), and by field id without. So a scan reads by name, from the files whose footers show which name is
 * which field; Iceberg's own rule, that a column is its field id, is kept whoever wrote the file and whatever the table's
 * schema was then. Local paths name immutable bytes, so that a footer is read once.
 */
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "connectors/iceberg_internal.h"
#include "emit/emit.h"
#include "engine/engine.h"
#include <limits.h>
#include <pthread.h>

enum {
    FILES_MAX = 1 << 16, /* whose layouts are kept; past it, or past LAYOUT_BYTES, all are forgotten */
    LAYOUT_BYTES = 8 << 20,
    COLUMNS_MAX = 4096, /* of a file that is read by name */
    SQL_MAX = 32 << 20,
};

struct iceberg_layouts {
    struct engine *engine;
    pthread_mutex_t lock; /* of all below */
    struct arena arena;
    struct map files;    /* local path to layout */
    struct map distinct; /* a layout's key to itself: files of one table share theirs */
};

struct iceberg_layouts *iceberg_layouts_new(struct engine *e)
{
    struct iceberg_layouts *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    l->engine = e;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

static void forget(struct iceberg_layouts *l)
{
    map_release(&l->files);
    map_release(&l->distinct);
    arena_release(&l->arena);
    l->files = l->distinct = (struct map)MAP_INIT;
    l->arena = (struct arena)ARENA_INIT;
}

void iceberg_layouts_free(struct iceberg_layouts *l)
{
    if (!l)
        return;
    forget(l);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- a layout ---- */

static struct iceberg_layout *copy(struct arena *a, const struct iceberg_layout *l)
{
    struct iceberg_layout *to = arena_new(a, struct iceberg_layout);

    *to = *l;
    to->key = arena_str(a, l->key);
    to->columns = arena_array(a, struct iceberg_file_column, l->column_count);
    for (size_t i = 0; i < l->column_count; i++)
        to->columns[i] = (struct iceberg_file_column){
            .field_id = l->columns[i].field_id,
            .name = arena_str(a, l->columns[i].name),
            .type = arena_str(a, l->columns[i].type),
        };
    return to;
}

/* The one of `distinct` that equals l, copied into the arena when there is none yet. */
static const struct iceberg_layout *intern(struct map *distinct, struct arena *a, const struct iceberg_layout *l)
{
    struct iceberg_layout *found = map_get(distinct, l->key);

    if (!found) {
        found = copy(a, l);
        map_set(distinct, found->key, found);
    }
    return found;
}

/* A name that means one column and nothing else to the engine, when it reads files: it ignores case, has names of its own
 * for a file and a row number, and takes no empty ones. */
static bool is_clear(const struct iceberg_layout *l, size_t i)
{
    static const char *const own[] = {"filename", "file_row_number", "file_index"};
    struct str name = l->columns[i].name;

    if (name.n == 0 || str_find_char(name, '\0', 0) != SIZE_MAX)
        return false;
    for (size_t k = 0; k < ARRAY_LEN(own); k++)
        if (str_eq_nocase(name, str_from_cstr(own[k])))
            return false;
    for (size_t k = 0; k < i; k++)
        if (str_eq_nocase(name, l->columns[k].name) ||
            (l->columns[i].field_id >= 0 && l->columns[i].field_id == l->columns[k].field_id))
            return false;
    return true;
}

static void finish(struct arena *a, struct iceberg_layout *l)
{
    BUF_SCOPED struct buf key;

    buf_init(&key, SQL_MAX);
    l->is_clear = l->column_count <= COLUMNS_MAX;
    for (size_t i = 0; i < l->column_count; i++) {
        const struct iceberg_file_column *c = &l->columns[i];

        l->is_clear = l->is_clear && is_clear(l, i);
        l->has_ids = l->has_ids || c->field_id >= 0;
        buf_addf(&key, "%d %zu ", c->field_id, c->name.n);
        buf_add_str(&key, c->name);
        buf_add_str(&key, c->type);
        buf_add_char(&key, '\n');
    }
    l->key = arena_str(a, buf_str(&key));
}

const struct iceberg_file_column *iceberg_layout_find(const struct iceberg_layout *l, int field_id)
{
    for (size_t i = 0; i < l->column_count; i++)
        if (l->columns[i].field_id == field_id)
            return &l->columns[i];
    return NULL;
}

/* The id of a column in a list of {"field-id": …, "names": […]}; -1: none. */
static int mapped_id(const json_t *mapping, struct str name)
{
    json_t *field, *alias;
    size_t i, k;

    json_array_foreach(mapping, i, field)
    {
        json_array_foreach(json_object_get(field, "names"), k, alias)
        {
            int64_t id = json_opt_i64(field, "field-id", -1);

            if (str_eq(json_str(alias), name))
                return id > INT_MAX ? -1 : (int)id;
        }
    }
    return -1;
}

const struct iceberg_layout *iceberg_layout_map(struct arena *a, const struct iceberg_layout *l, const json_t *mapping)
{
    struct iceberg_layout *to = copy(a, l);

    for (size_t i = 0; i < to->column_count; i++)
        to->columns[i].field_id = mapped_id(mapping, to->columns[i].name);
    finish(a, to);
    to->has_ids = to->is_mapped = true; /* nothing mapped: all columns are null */
    return to;
}

/* ---- from the footers ---- */

/* Schema elements come depth first: a file's root, then each column before what is in it. */
struct reader {
    struct arena *a;
    struct map *to; /* local path to layout */
    struct map distinct;
    struct str path;
    struct iceberg_layout layout;
    struct {
        struct iceberg_file_column *items;
        size_t n, cap;
    } columns;
    int64_t top_left, nested_left; /* elements to come: of the top level, below the last one of it */
};

enum { COLUMN_FILE, COLUMN_NAME, COLUMN_CHILDREN, COLUMN_FIELD_ID, COLUMN_TYPE };

static const char schema_query[] = "SELECT file_name, name, greatest(coalesce(num_children, 0), 0)::BIGINT,"
                                   " coalesce(field_id, -1)::BIGINT, CASE WHEN repetition_type <> 'REPEATED'"
                                   " THEN coalesce(duckdb_type, '') ELSE '' END FROM parquet_schema(";

static void end_file(struct reader *r)
{
    if (str_is_null(r->path))
        return;
    r->layout.columns = r->columns.items;
    r->layout.column_count = r->columns.n;
    finish(r->a, &r->layout);
    map_set(r->to, r->path, (void *)intern(&r->distinct, r->a, &r->layout));
    r->path = STR_NULL;
}

static struct str text_at(duckdb_data_chunk chunk, int column, uint64_t row)
{
    duckdb_string_t *texts = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, (idx_t)column));

    return (struct str){duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row])};
}

static int64_t number_at(duckdb_data_chunk chunk, int column, uint64_t row)
{
    return ((int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, (idx_t)column)))[row];
}

static void take_element(struct reader *r, duckdb_data_chunk chunk, uint64_t row)
{
    int64_t children = number_at(chunk, COLUMN_CHILDREN, row), field_id = number_at(chunk, COLUMN_FIELD_ID, row);

    if (r->top_left == 0 && r->nested_left == 0) {
        end_file(r);
        r->path = arena_str(r->a, text_at(chunk, COLUMN_FILE, row));
        r->layout = (struct iceberg_layout){0};
        r->columns.n = r->columns.cap = 0;
        r->columns.items = NULL;
        r->top_left = children;
        return;
    }
    if (r->nested_left > 0) {
        r->nested_left += children - 1;
        return;
    }
    r->top_left--;
    r->nested_left = children;
    vec_push_in(r->a, &r->columns,
                ((struct iceberg_file_column){
                    .field_id = (int)field_id,
                    .name = arena_str(r->a, text_at(chunk, COLUMN_NAME, row)),
                    .type = children ? STR("") : arena_str(r->a, text_at(chunk, COLUMN_TYPE, row)),
                }));
}

static int read_footers(struct iceberg_layouts *l, struct arena *a, const struct str *paths, size_t n, struct map *to,
                        struct err *err)
{
    struct reader r = {.a = a, .to = to};
    struct engine_conn *conn;
    struct engine_result *result;
    duckdb_data_chunk chunk;
    BUF_SCOPED struct buf sql;
    int rc;

    buf_init(&sql, SQL_MAX);
    buf_add_cstr(&sql, schema_query);
    for (size_t i = 0; i < n; i++) {
        buf_add_cstr(&sql, i ? ", " : "[");
        emit_string(&sql, paths[i]);
    }
    buf_add_cstr(&sql, "])");
    rc = buf_check(&sql, "the list of a table's files", err);
    if (rc == 0)
        rc = engine_acquire(l->engine, &conn, err);
    if (rc < 0)
        return rc;
    rc = engine_query(conn, buf_str(&sql), &result, err);
    if (rc == 0) {
        while ((rc = engine_next(result, &chunk, err)) == 1) {
            for (uint64_t i = 0; i < duckdb_data_chunk_get_size(chunk); i++)
                take_element(&r, chunk, i);
            duckdb_destroy_data_chunk(&chunk);
        }
        if (rc == 0)
            end_file(&r);
        engine_result_free(result);
    }
    engine_release(conn);
    map_release(&r.distinct);
    return rc;
}

/* ---- the cache ---- */

/* What is known goes to ret, copied; *ret_missing: how many files aren't. */
static void find(struct iceberg_layouts *l, struct arena *a, const struct str *paths, size_t n,
                 const struct iceberg_layout **ret, struct str *ret_missing, size_t *ret_missing_n)
{
    struct map copies = MAP_INIT;

    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < n; i++) {
        const struct iceberg_layout *found = map_get(&l->files, paths[i]);

        if (found)
            ret[i] = intern(&copies, a, found);
        else
            ret_missing[(*ret_missing_n)++] = paths[i];
    }
    pthread_mutex_unlock(&l->lock);
    map_release(&copies);
}

static void keep(struct iceberg_layouts *l, const struct map *layouts)
{
    pthread_mutex_lock(&l->lock);
    for (struct map_entry *e = NULL; (e = map_next(layouts, e));) {
        if (l->files.n >= FILES_MAX || l->arena.used > LAYOUT_BYTES)
            forget(l);
        map_set(&l->files, e->key, (void *)intern(&l->distinct, &l->arena, e->value));
    }
    pthread_mutex_unlock(&l->lock);
}

void iceberg_layouts_get(struct iceberg_layouts *l, struct arena *a, const struct str *paths, size_t n,
                         const struct iceberg_layout **ret)
{
    struct str *missing = arena_array(a, struct str, n);
    struct map fresh = MAP_INIT;
    size_t missing_n = 0;

    find(l, a, paths, n, ret, missing, &missing_n);
    if (missing_n == 0)
        return;
    /* A file that can't be read is the scan's to report. */
    if (read_footers(l, a, missing, missing_n, &fresh, NULL) == 0) {
        keep(l, &fresh);
        missing_n = 0;
        find(l, a, paths, n, ret, missing, &missing_n);
    }
    map_release(&fresh);
}
