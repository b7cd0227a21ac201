/*
 * Generated tables, kept as Parquet files: CACHE_DIR/tpch/sf0.01/lineitem.parquet.
 *
 * All tables of a scale are made at once: they are written into CACHE_DIR/KIND/new and the folder becomes CACHE_DIR/KIND/sfN
 * by rename when everything in it is on the disk. A folder sfN is whole, therefore, whatever killed a generation; what it
 * left in `new` goes when the next one starts. A lock file lets one generation of a kind run at a time, across threads and
 * processes. Tables of the engine's own generator live in a database file in `new`, so that large scales go through the
 * engine's memory limit to the disk.
 */
#include "base/clock.h"
#include "base/log.h"
#include "connectors/tpc_internal.h"
#include "engine/dbgen.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What a generation needs at its peak for each unit of scale: the generator's tables and their Parquet files. */
static const double BYTES_PER_SCALE = 1e9;

/* Below it the generator's tables stay in memory, a fifth of a gigabyte, and aren't compressed for a file. */
static const double MEMORY_SCALE = 0.2;

enum { MAX_STATEMENT = 1 << 16 };

struct generation {
    const struct tpc_connector *c;
    double scale;
    const char *folder; /* CACHE_DIR/KIND/new */
    struct engine_conn *conn;
    char database[40]; /* the name that the generator's tables are attached under */
};

static int run(struct generation *g, struct buf *sql, struct err *err)
{
    struct engine_result *result;
    duckdb_data_chunk chunk;
    int rc = buf_check(sql, "a statement of the generator", err);

    if (rc == 0)
        rc = engine_query(g->conn, buf_str(sql), &result, err);
    if (rc < 0)
        return rc;
    while ((rc = engine_next(result, &chunk, err)) == 1)
        duckdb_destroy_data_chunk(&chunk);
    engine_result_free(result);
    return rc;
}

static void add_quoted(struct buf *to, const char *path)
{
    buf_add_char(to, '\'');
    for (; *path; path++) {
        if (*path == '\'')
            buf_add_char(to, '\'');
        buf_add_char(to, *path);
    }
    buf_add_char(to, '\'');
}

/* The generator's value as the type that Trino's column has. Its char(n) have no spaces to trim: they aren't padded. */
static int add_column(struct arena *a, const struct tpc_table *t, size_t i, struct buf *to, struct err *err)
{
    const struct tpc_column *column = &t->columns[i];
    const struct type *type;
    struct str name = tpc_file_column(a, t, i);
    int rc = type_parse(a, str_from_cstr(column->type), &type, err);

    if (rc < 0)
        return rc;
    struct str source = column->source ? str_from_cstr(column->source) : name;
    buf_addf(to, "%sCAST(\"%.*s\" AS ", i ? ", " : "", STR_ARG(source));
    type_format_physical(to, type);
    buf_addf(to, ") AS \"%.*s\"", STR_ARG(name));
    return 0;
}

static int sync_file(const char *path, struct err *err)
{
    FD_SCOPED int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set_errno(err, errno, "can't open %s", path);
    return file_sync(fd, err);
}

static int write_table(struct generation *g, const struct tpc_table *t, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf sql;
    struct str query = g->c->kind->query(&a, t, g->scale);
    struct str path = arena_printf(&a, "%s/%s.parquet", g->folder, t->name);
    int rc = 0;

    buf_init(&sql, MAX_STATEMENT);
    buf_add_cstr(&sql, "COPY (SELECT ");
    for (size_t i = 0; rc == 0 && i < t->column_count; i++)
        rc = add_column(&a, t, i, &sql, err);
    if (rc < 0)
        return rc;
    if (str_is_null(query))
        buf_addf(&sql, " FROM %s.main.\"%s\") TO ", g->database, t->name);
    else
        buf_addf(&sql, " FROM (%.*s)) TO ", STR_ARG(query));
    add_quoted(&sql, path.p);
    buf_add_cstr(&sql, " (FORMAT parquet, COMPRESSION lz4_raw)");
    rc = run(g, &sql, err);
    return rc < 0 ? rc : sync_file(path.p, err);
}

/* The generator makes all tables of a scale; those that want this scale are kept. */
static int generate_scale(struct generation *g, double generator_scale, struct err *err)
{
    const struct tpc_kind *kind = g->c->kind;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf sql;
    struct str path = generator_scale < MEMORY_SCALE ? STR(":memory:")
                                                     : arena_printf(&a, "%s/generator.duckdb", g->folder);
    int rc;

    buf_init(&sql, MAX_STATEMENT);
    buf_add_cstr(&sql, "ATTACH ");
    add_quoted(&sql, path.p);
    buf_addf(&sql, " AS %s", g->database);
    rc = run(g, &sql, err);
    if (rc < 0)
        return rc;
    buf_reset(&sql);
    buf_addf(&sql, "CALL %s(sf = %.15g, catalog = '%s', schema = 'main')", kind->generator, generator_scale,
             g->database);
    rc = run(g, &sql, err);
    for (size_t i = 0; rc == 0 && i < kind->table_count; i++)
        if (kind->generator_scale(&kind->tables[i], g->scale) == generator_scale)
            rc = write_table(g, &kind->tables[i], err);
    buf_reset(&sql);
    buf_addf(&sql, "DETACH %s", g->database);
    int detached = run(g, &sql, rc < 0 ? NULL : err);
    if (rc == 0)
        rc = detached;
    if (rc == 0 && generator_scale >= MEMORY_SCALE)
        rc = file_remove_tree(path.p, err);
    return rc;
}

static int load_extension(struct generation *g, struct err *err)
{
    const char *name = g->c->kind->name;
    BUF_SCOPED struct buf sql;

    buf_init(&sql, MAX_STATEMENT);
    buf_addf(&sql, "LOAD %s", name);
    int rc = run(g, &sql, err);
    return rc < 0 ? err_prefix(err, "the catalog %.*s needs the SQL engine's extension %s, which doesn't load",
                               STR_ARG(g->c->base.catalog), name)
                  : 0;
}

/* Tables that come from queries only. */
static int write_tables(struct generation *g, struct err *err)
{
    const struct tpc_kind *kind = g->c->kind;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    int rc = kind->has_text ? dbgen_text_open(arena_printf(&a, "%s/text", g->folder).p, err) : 0;

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < kind->table_count; i++)
        rc = write_table(g, &kind->tables[i], err);
    if (kind->has_text)
        dbgen_text_close();
    return rc;
}

static int generate_scales(struct generation *g, struct err *err)
{
    const struct tpc_kind *kind = g->c->kind;
    int rc = load_extension(g, err);

    for (size_t i = 0; rc == 0 && i < kind->table_count; i++) {
        double scale = kind->generator_scale(&kind->tables[i], g->scale);
        bool is_done = scale == 0;

        for (size_t k = 0; k < i && !is_done; k++)
            is_done = kind->generator_scale(&kind->tables[k], g->scale) == scale;
        if (!is_done)
            rc = generate_scale(g, scale, err);
    }
    return rc;
}

/* On the engine, into `folder`, which is there and empty. */
static int generate_with_engine(const struct tpc_connector *c, double scale, const char *folder, struct err *err)
{
    static atomic_uint counter; /* databases of one engine have different names */
    struct generation g = {.c = c, .scale = scale, .folder = folder};
    int64_t start = clock_mono_ms();
    struct engine *own = NULL; /* the queries' engine loads no extensions */
    int rc = c->kind->generator ? engine_open_beside(c->engine, &own, err) : 0;

    if (rc == 0)
        rc = engine_acquire(own ? own : c->engine, &g.conn, err);
    if (rc < 0) {
        engine_close(own);
        return rc;
    }
    snprintf(g.database, sizeof(g.database), "%s_generator_%u", c->kind->name, atomic_fetch_add(&counter, 1));
    log_info("generating the tables of %s at scale %.15g", c->kind->name, scale);
    rc = c->kind->generator ? generate_scales(&g, err) : write_tables(&g, err);
    engine_release(g.conn);
    engine_close(own);
    if (rc == 0)
        log_info("generated the tables of %s at scale %.15g in %lld ms", c->kind->name, scale,
                 (long long)(clock_mono_ms() - start));
    return rc;
}

static int check_space(const char *folder, const struct tpc_kind *kind, double scale, struct err *err)
{
    struct statvfs fs;

    if (statvfs(folder, &fs) != 0)
        return err_set_errno(err, errno, "can't find out how much space %s has", folder);
    double available = (double)fs.f_bavail * (double)fs.f_frsize, needed = scale * BYTES_PER_SCALE;
    if (available < needed)
        return err_set(
            err, ERR_NO_SPACE,
            "the tables of %s at scale %.15g need about %.0f MB on the disk to be generated, and %.0f MB are "
            "free: use a smaller scale, or make room",
            kind->name, scale, needed / 1e6, available / 1e6);
    return 0;
}

/* With the lock held: makes `final` out of `folder`. */
static int fill(const struct tpc_connector *c, double scale, const char *base, const char *folder, const char *final,
                struct err *err)
{
    int rc = file_remove_tree(folder, err);

    if (rc == 0)
        rc = check_space(base, c->kind, scale, err);
    if (rc == 0)
        rc = file_make_folders(folder, 0700, err);
    if (rc == 0)
        rc = generate_with_engine(c, scale, folder, err);
    if (rc == 0)
        rc = file_sync_folder(folder, err);
    if (rc == 0 && rename(folder, final) != 0)
        rc = err_set_errno(err, errno, "can't rename %s to %s", folder, final);
    if (rc == 0)
        return file_sync_folder(base, err);
    /* What remains is cleaned up by the next generation, if it can't be now. */
    if (file_remove_tree(folder, NULL) < 0)
        log_warn("the unfinished folder %s is left behind", folder);
    return rc;
}

static int lock(const char *path, int *ret_fd, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set_errno(err, errno, "can't open %s", path);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        int rc = err_set_errno(err, errno, "can't lock %s", path);
        close(fd);
        return rc;
    }
    *ret_fd = fd;
    return 0;
}

int tpc_cache_get(struct arena *a, const struct tpc_connector *c, const struct tpc_table *t, double scale,
                  struct str *ret, struct err *err)
{
    const struct tpc_kind *kind = c->kind;
    struct str base = arena_printf(a, "%s/%s", c->cache_dir, kind->name);
    struct str final = arena_printf(a, "%.*s/sf%.15g", STR_ARG(base), scale);
    struct str path = arena_printf(a, "%.*s/%s.parquet", STR_ARG(final), t->name);
    FD_SCOPED int fd = -1;
    int rc = 0;

    *ret = path;
    if (file_exists(path.p))
        return 0;
    if (scale < kind->min_scale || scale > kind->max_scale)
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                             "The generator of %s supports scales from %.15g to %.15g, not %.15g", kind->name,
                             kind->min_scale, kind->max_scale, scale);
    rc = file_make_folders(base.p, 0700, err);
    if (rc == 0)
        rc = lock(arena_printf(a, "%.*s/lock", STR_ARG(base)).p, &fd, err);
    if (rc < 0 || file_exists(path.p))
        return rc;
    return fill(c, scale, base.p, arena_printf(a, "%.*s/new", STR_ARG(base)).p, final.p, err);
}
