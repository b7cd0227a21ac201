/*
 * The catalog memory. Rows are in tables of the engine's in-memory database, named t<number>, with columns v0, v1, …; what
 * they are called and which Trino types they have is kept here. A table is in the list when its rows are: a write that
 * fails leaves nothing.
 */
#include "connectors/memory.h"
#include "base/log.h"
#include "base/vec.h"
#include "emit/emit.h"
#include <pthread.h>

enum { MAX_TABLES = 10000 };

struct stored_table {
    struct arena arena; /* holds all of it */
    struct str schema, name, comment;
    struct connector_column *columns;
    size_t column_count;
    unsigned number; /* of the engine's table */
};

struct memory {
    struct connector base;
    struct engine *engine;
    char *catalog;
    pthread_mutex_t lock; /* guards what follows */
    VEC(char *) schemas;
    VEC(struct stored_table *) tables;
    unsigned next_number;
};

struct connector_write {
    struct stored_table *table; /* CTAS: the new one, not in the list yet; INSERT: NULL */
    unsigned number;
};

static struct memory *of(struct connector *c)
{
    return (struct memory *)c;
}

/* ---- the list; the lock is held ---- */

static bool has_schema(const struct memory *m, struct str name)
{
    for (size_t i = 0; i < m->schemas.n; i++) {
        if (str_eq_cstr(name, m->schemas.items[i]))
            return true;
    }
    return false;
}

static size_t find_table(const struct memory *m, struct str schema, struct str name)
{
    size_t i = 0;

    while (i < m->tables.n && (!str_eq(m->tables.items[i]->schema, schema) || !str_eq(m->tables.items[i]->name, name)))
        i++;
    return i;
}

static void table_free(struct stored_table *t)
{
    arena_release(&t->arena);
    free(t);
}

static int check_new_table(const struct memory *m, struct str schema, struct str name, struct err *err)
{
    if (!has_schema(m, schema))
        return err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Schema %.*s not found", STR_ARG(schema));
    if (find_table(m, schema, name) < m->tables.n)
        return err_set_named(err, ERR_EXISTS, "ALREADY_EXISTS", "Table [%.*s.%.*s] already exists", STR_ARG(schema),
                             STR_ARG(name));
    if (m->tables.n >= MAX_TABLES)
        return err_set_named(err, ERR_LIMIT, "GENERIC_INSUFFICIENT_RESOURCES",
                             "The catalog %s holds %d tables, and no more", m->catalog, MAX_TABLES);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct connector_table_name *x = a, *y = b;
    int schemas = str_cmp(x->schema, y->schema);

    return schemas != 0 ? schemas : str_cmp(x->name, y->name);
}

static int compare_strs(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* ---- the engine's tables ---- */

static int run(struct memory *m, struct str sql, int64_t *ret_count, struct err *err)
{
    struct engine_conn *c;
    struct engine_result *r;
    duckdb_data_chunk chunk;
    int rc = engine_acquire(m->engine, &c, err);

    if (rc < 0)
        return rc;
    rc = engine_query(c, sql, &r, err);
    if (rc == 0) {
        rc = engine_next(r, &chunk, err);
        if (rc == 1) {
            if (ret_count)
                *ret_count = *(int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
            duckdb_destroy_data_chunk(&chunk);
            rc = 0;
        }
        engine_result_free(r);
    }
    engine_release(c);
    return rc;
}

static struct str physical_name(struct arena *a, unsigned number)
{
    return arena_printf(a, "\"memory\".main.dp_memory_%u", number);
}

static int drop_physical(struct memory *m, unsigned number, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str name = physical_name(&a, number);

    return run(m, arena_printf(&a, "DROP TABLE IF EXISTS %.*s", STR_ARG(name)), NULL, err);
}

/* ---- metadata ---- */

static int list_schemas(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    struct memory *m = of(c);

    (void)err;
    pthread_mutex_lock(&m->lock);
    *ret_n = m->schemas.n;
    *ret = arena_array(a, struct str, m->schemas.n);
    for (size_t i = 0; i < m->schemas.n; i++)
        (*ret)[i] = arena_str(a, str_from_cstr(m->schemas.items[i]));
    pthread_mutex_unlock(&m->lock);
    qsort(*ret, *ret_n, sizeof(**ret), compare_strs);
    return 0;
}

static int list_tables(struct connector *c, struct arena *a, struct str schema, struct connector_table_name **ret,
                       size_t *ret_n, struct err *err)
{
    struct memory *m = of(c);
    size_t n = 0;

    (void)err;
    pthread_mutex_lock(&m->lock);
    *ret = arena_array(a, struct connector_table_name, m->tables.n);
    for (size_t i = 0; i < m->tables.n; i++) {
        const struct stored_table *t = m->tables.items[i];

        if (str_is_null(schema) || str_eq(schema, t->schema))
            (*ret)[n++] = (struct connector_table_name){.schema = arena_str(a, t->schema),
                                                        .name = arena_str(a, t->name)};
    }
    pthread_mutex_unlock(&m->lock);
    *ret_n = n;
    qsort(*ret, n, sizeof(**ret), compare_names);
    return 0;
}

/* Types go from one arena to another by their names. */
static int copy_columns(struct arena *a, const struct connector_column *from, size_t n, struct connector_column **ret,
                        struct err *err)
{
    struct connector_column *to = arena_array(a, struct connector_column, n);

    for (size_t i = 0; i < n; i++) {
        int rc = type_parse(a, type_name(a, from[i].type), &to[i].type, err);

        if (rc < 0)
            return rc;
        to[i].name = arena_str(a, from[i].name);
        to[i].not_null = from[i].not_null;
        if (!str_is_null(from[i].comment))
            to[i].comment = arena_str(a, from[i].comment);
    }
    *ret = to;
    return 0;
}

static int get_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                     struct connector_table **ret, struct err *err)
{
    struct memory *m = of(c);
    struct connector_table *table = NULL;
    unsigned *number = arena_new(a, unsigned);
    size_t i;
    int rc = 0;

    pthread_mutex_lock(&m->lock);
    i = find_table(m, schema, name);
    if (i < m->tables.n) {
        const struct stored_table *t = m->tables.items[i];

        table = arena_new(a, struct connector_table);
        *table = (struct connector_table){.connector = c,
                                          .catalog = c->catalog,
                                          .schema = arena_str(a, schema),
                                          .name = arena_str(a, name),
                                          .column_count = t->column_count,
                                          .handle = number};
        *number = t->number;
        if (!str_is_null(t->comment))
            table->comment = arena_str(a, t->comment);
        rc = copy_columns(a, t->columns, t->column_count, &table->columns, err);
    }
    pthread_mutex_unlock(&m->lock);
    if (rc == 0)
        *ret = table;
    return rc;
}

static unsigned number_of(const struct connector_table *t)
{
    return *(const unsigned *)t->handle;
}

static int plan_scan(struct connector *c, struct arena *a, const struct connector_scan *scan,
                     struct connector_scan_plan *ret, struct err *err)
{
    BUF_SCOPED struct buf text;
    struct str name = physical_name(a, number_of(scan->table));
    int rc;

    (void)c;
    buf_init(&text, 1 << 20);
    buf_add_cstr(&text, "(SELECT ");
    if (scan->column_count == 0)
        buf_add_cstr(&text, "true AS dummy");
    for (size_t i = 0; i < scan->column_count; i++)
        buf_addf(&text, "%sv%zu AS c%d", i > 0 ? ", " : "", scan->table_columns[i], scan->ids[i]);
    buf_addf(&text, " FROM %.*s)", STR_ARG(name));
    rc = buf_check(&text, "a scan's columns", err);
    if (rc == 0)
        *ret = (struct connector_scan_plan){.from = arena_str(a, buf_str(&text))};
    return rc;
}

/* ---- schemas ---- */

static int create_schema(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct memory *m = of(c);
    int rc = 0;

    (void)a;
    pthread_mutex_lock(&m->lock);
    if (!has_schema(m, s->schema)) {
        char *name = strndup(s->schema.p, s->schema.n);

        if (!name)
            abort();
        vec_push(&m->schemas, name);
    } else if (!s->if_not_exists) {
        rc = err_set_named(err, ERR_EXISTS, "ALREADY_EXISTS", "Schema [%.*s] already exists", STR_ARG(s->schema));
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* Takes the tables of the schema off the list; the caller drops them. */
static void take_tables(struct memory *m, struct str schema, struct arena *a, unsigned **ret, size_t *ret_n)
{
    size_t kept = 0;

    *ret = arena_array(a, unsigned, m->tables.n + 1);
    *ret_n = 0;
    for (size_t i = 0; i < m->tables.n; i++) {
        struct stored_table *t = m->tables.items[i];

        if (str_eq(t->schema, schema)) {
            (*ret)[(*ret_n)++] = t->number;
            table_free(t);
        } else {
            m->tables.items[kept++] = t;
        }
    }
    m->tables.n = kept;
}

static int drop_schema(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct memory *m = of(c);
    unsigned *numbers = NULL;
    size_t n = 0;
    bool is_empty = true;
    int rc = 0;

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->tables.n; i++)
        is_empty = is_empty && !str_eq(m->tables.items[i]->schema, s->schema);
    if (!has_schema(m, s->schema)) {
        if (!s->if_exists)
            rc = err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Schema %.*s not found", STR_ARG(s->schema));
    } else if (!is_empty && !s->cascade) {
        rc = err_set_named(err, ERR_CONFLICT, "SCHEMA_NOT_EMPTY", "Schema not empty: %.*s", STR_ARG(s->schema));
    } else {
        take_tables(m, s->schema, a, &numbers, &n);
        for (size_t i = 0; i < m->schemas.n; i++) {
            if (str_eq_cstr(s->schema, m->schemas.items[i])) {
                free(m->schemas.items[i]);
                m->schemas.items[i] = m->schemas.items[--m->schemas.n];
                break;
            }
        }
    }
    pthread_mutex_unlock(&m->lock);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = drop_physical(m, numbers[i], err);
    return rc;
}

/* ---- tables ---- */

static int new_table(struct memory *m, const struct statement *s, struct stored_table **ret, struct err *err)
{
    struct stored_table *t = calloc(1, sizeof(*t));
    struct connector_column *columns;
    int rc;

    if (!t)
        abort();
    arena_init(&t->arena, 64 << 20);
    t->schema = arena_str(&t->arena, s->schema);
    t->name = arena_str(&t->arena, s->table);
    if (!str_is_null(s->comment))
        t->comment = arena_str(&t->arena, s->comment);
    t->column_count = s->column_count;
    columns = arena_array(&t->arena, struct connector_column, s->column_count);
    for (size_t i = 0; i < s->column_count; i++)
        columns[i] = (struct connector_column){.name = s->columns[i].name,
                                               .type = s->columns[i].type,
                                               .not_null = s->columns[i].not_null,
                                               .comment = s->columns[i].comment};
    rc = copy_columns(&t->arena, columns, s->column_count, &t->columns, err);
    if (rc < 0) {
        table_free(t);
        return rc;
    }
    pthread_mutex_lock(&m->lock);
    t->number = m->next_number++;
    rc = check_new_table(m, s->schema, s->table, err);
    pthread_mutex_unlock(&m->lock);
    if (rc < 0) {
        table_free(t);
        return rc;
    }
    *ret = t;
    return 0;
}

/* Into the list, unless another one of that name came first. On failure the caller keeps the table. */
static int publish(struct memory *m, struct stored_table *t, struct err *err)
{
    int rc;

    pthread_mutex_lock(&m->lock);
    rc = check_new_table(m, t->schema, t->name, err);
    if (rc == 0)
        vec_push(&m->tables, t);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static int create_table(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct memory *m = of(c);
    BUF_SCOPED struct buf sql;
    struct stored_table *t;
    struct str name;
    int rc = new_table(m, s, &t, err);

    buf_init(&sql, 1 << 20);
    if (rc < 0)
        return rc;
    name = physical_name(a, t->number);
    buf_addf(&sql, "CREATE TABLE %.*s (", STR_ARG(name));
    for (size_t i = 0; i < t->column_count; i++) {
        buf_addf(&sql, "%sv%zu ", i > 0 ? ", " : "", i);
        type_format_physical(&sql, t->columns[i].type);
    }
    buf_add_char(&sql, ')');
    rc = buf_check(&sql, "a table's columns", err);
    if (rc == 0)
        rc = run(m, buf_str(&sql), NULL, err);
    if (rc == 0) {
        rc = publish(m, t, err);
        if (rc == 0)
            return 0;
        if (drop_physical(m, t->number, NULL) < 0)
            log_warn("a table of the catalog memory that wasn't created stays in the engine");
    }
    table_free(t);
    return rc;
}

static int drop_table(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct memory *m = of(c);
    unsigned number = 0;
    bool is_found;
    size_t i;

    (void)a;
    pthread_mutex_lock(&m->lock);
    i = find_table(m, s->schema, s->table);
    is_found = i < m->tables.n;
    if (is_found) {
        number = m->tables.items[i]->number;
        table_free(m->tables.items[i]);
        m->tables.items[i] = m->tables.items[--m->tables.n];
    }
    pthread_mutex_unlock(&m->lock);
    if (is_found)
        return drop_physical(m, number, err);
    return s->if_exists ? 0
                        : err_set_named(err, ERR_NOT_FOUND, "TABLE_NOT_FOUND", "Table '%.*s.%.*s' not found",
                                        STR_ARG(s->schema), STR_ARG(s->table));
}

static int rename_table(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    struct memory *m = of(c);
    size_t i;
    int rc;

    (void)a;
    pthread_mutex_lock(&m->lock);
    i = find_table(m, s->schema, s->table);
    if (i == m->tables.n)
        rc = err_set_named(err, ERR_NOT_FOUND, "TABLE_NOT_FOUND", "Table '%.*s.%.*s' not found", STR_ARG(s->schema),
                           STR_ARG(s->table));
    else
        rc = check_new_table(m, s->new_schema, s->new_table, err);
    if (rc == 0) {
        struct stored_table *t = m->tables.items[i];

        t->schema = arena_str(&t->arena, s->new_schema);
        t->name = arena_str(&t->arena, s->new_table);
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* ---- writes ---- */

static int begin_ctas(struct memory *m, struct arena *a, const struct connector_write_request *r,
                      struct connector_write **ret, struct buf *before, struct str *ret_after, struct err *err)
{
    struct connector_write *w;
    struct stored_table *t;
    struct str name;
    int rc = new_table(m, r->statement, &t, err);

    if (rc < 0)
        return rc;
    name = physical_name(a, t->number);
    buf_addf(before, "CREATE TABLE %.*s AS SELECT ", STR_ARG(name));
    for (size_t i = 0; i < r->column_count; i++) {
        buf_addf(before, "%sCAST(c%d AS ", i > 0 ? ", " : "", r->columns[i].id);
        type_format_physical(before, t->columns[i].type);
        buf_addf(before, ") AS v%zu", i);
    }
    buf_add_cstr(before, " FROM (");
    *ret_after = r->statement->with_data ? STR(") AS source") : STR(") AS source LIMIT 0");
    w = calloc(1, sizeof(*w));
    if (!w)
        abort();
    w->table = t;
    w->number = t->number;
    *ret = w;
    return 0;
}

static int begin_insert(struct arena *a, const struct connector_write_request *r, struct connector_write **ret,
                        struct buf *before, struct str *ret_after)
{
    const struct statement *s = r->statement;
    struct connector_write *w = calloc(1, sizeof(*w));
    struct str name = physical_name(a, number_of(s->target));

    if (!w)
        abort();
    w->number = number_of(s->target);
    buf_addf(before, "INSERT INTO %.*s (", STR_ARG(name));
    for (size_t i = 0; i < s->insert_count; i++)
        buf_addf(before, "%sv%zu", i > 0 ? ", " : "", s->insert_columns[i]);
    buf_add_cstr(before, ") SELECT ");
    for (size_t i = 0; i < r->column_count; i++)
        buf_addf(before, "%sc%d", i > 0 ? ", " : "", r->columns[i].id);
    buf_add_cstr(before, " FROM (");
    *ret_after = STR(") AS source");
    *ret = w;
    return 0;
}

static int begin_write(struct connector *c, struct arena *a, const struct connector_write_request *r,
                       struct connector_write **ret, struct str *ret_before, struct str *ret_after, struct err *err)
{
    BUF_SCOPED struct buf before;
    struct connector_write *w = NULL;
    int rc;

    buf_init(&before, 1 << 20);
    if (r->statement->kind == STATEMENT_INSERT)
        rc = begin_insert(a, r, &w, &before, ret_after);
    else
        rc = begin_ctas(of(c), a, r, &w, &before, ret_after, err);
    if (rc == 0)
        rc = buf_check(&before, "a table's columns", err);
    if (rc < 0) {
        if (w && w->table)
            table_free(w->table);
        free(w);
        return rc;
    }
    *ret_before = arena_str(a, buf_str(&before));
    *ret = w;
    return 0;
}

static void abort_write(struct connector *c, struct connector_write *w)
{
    if (w->table) {
        struct err ignored = {0};

        if (drop_physical(of(c), w->number, &ignored) < 0)
            log_warn("an aborted table of the catalog memory stays: %s", ignored.message);
        table_free(w->table);
    }
    free(w);
}

static int finish_write(struct connector *c, struct connector_write *w, struct engine_result *result,
                        struct connector_written *ret, struct err *err)
{
    duckdb_data_chunk chunk;
    int64_t rows = 0;
    int rc;

    while ((rc = engine_next(result, &chunk, err)) == 1) {
        rows = *(int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        duckdb_destroy_data_chunk(&chunk);
    }
    if (rc == 0 && w->table)
        rc = publish(of(c), w->table, err);
    if (rc < 0) {
        abort_write(c, w);
        return rc;
    }
    *ret = (struct connector_written){.rows = rows};
    free(w);
    return 0;
}

static int delete_all(struct connector *c, struct arena *a, const struct connector_table *t, int64_t *ret_rows,
                      struct err *err)
{
    struct str name = physical_name(a, number_of(t));

    *ret_rows = 0;
    return run(of(c), arena_printf(a, "DELETE FROM %.*s", STR_ARG(name)), ret_rows, err);
}

static void close_connector(struct connector *c)
{
    struct memory *m = of(c);

    for (size_t i = 0; i < m->tables.n; i++)
        table_free(m->tables.items[i]);
    vec_release(&m->tables);
    for (size_t i = 0; i < m->schemas.n; i++)
        free(m->schemas.items[i]);
    vec_release(&m->schemas);
    pthread_mutex_destroy(&m->lock);
    free(m->catalog);
    free(m);
}

int memory_connector_new(struct str catalog, struct engine *e, struct connector **ret, struct err *err)
{
    static const struct connector_ops ops = {
        .kind = "memory",
        .list_schemas = list_schemas,
        .list_tables = list_tables,
        .get_table = get_table,
        .plan_scan = plan_scan,
        .create_schema = create_schema,
        .drop_schema = drop_schema,
        .create_table = create_table,
        .drop_table = drop_table,
        .rename_table = rename_table,
        .begin_write = begin_write,
        .finish_write = finish_write,
        .abort_write = abort_write,
        .delete_all = delete_all,
        .close = close_connector,
    };
    struct memory *m = calloc(1, sizeof(*m));
    char *name = strdup("default");

    (void)err;
    if (!m || !name)
        abort();
    m->catalog = strndup(catalog.p, catalog.n);
    if (!m->catalog)
        abort();
    m->engine = e;
    pthread_mutex_init(&m->lock, NULL);
    vec_push(&m->schemas, name);
    m->base = (struct connector){.ops = &ops, .catalog = str_from_cstr(m->catalog)};
    *ret = &m->base;
    return 0;
}
