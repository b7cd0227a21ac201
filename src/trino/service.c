/*
 * The `sql` process: opens the engine, the object library and the catalog's database, mounts the catalogs that the spec
 * names, and serves until it is told to stop.
 */
#include "trino/service.h"

#include "base/log.h"
#include "base/vec.h"
#include "catalog/rest.h"
#include "connectors/iceberg.h"
#include "connectors/information_schema.h"
#include "connectors/memory.h"
#include "connectors/system.h"
#include "connectors/tpc.h"
#include "os/file.h"
#include "os/signal.h"
#include "pki/pki.h"
#include "trino/authenticate.h"
#include "trino/errors.h"
#include "trino/rest_access.h"
#include "trino/internal.h"

#include <errno.h>
#include <limits.h>

struct service {
    const struct spec *spec;
    struct arena arena;
    struct engine *engine;
    struct objects *objects; /* NULL until a catalog needs it; so is `db` */
    struct db *db;
    VEC(struct catalog_rest_mount) tables; /* one an Iceberg catalog */
    struct catalog_rest *rest;             /* NULL: there is none */
    VEC(struct connector *) connectors;
    struct connector_set set;
    struct virtual_context virtual;
    struct runtime_source runtime;
    struct access_control *access;
    struct authenticators *authenticators;
    struct rest_access rest_access;
    struct queries *queries;
    struct trino_server *server;
};

/* ---- catalogs ---- */

/* "platform.yaml:12: …" about a line of the spec. */
static int spec_error(const struct service *s, int line, struct err *err, const char *fmt, ...) PRINTF_LIKE(4, 5);
static int spec_error(const struct service *s, int line, struct err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_setv(err, ERR_INVALID, fmt, ap);
    va_end(ap);
    return err_prefix(err, "%.*s:%d", STR_ARG(str_is_null(s->spec->file) ? STR("platform.yaml") : s->spec->file), line);
}

static struct str data_path(struct service *s, const char *name)
{
    return path_join(&s->arena, s->spec->data_dir, str_from_cstr(name));
}

static int open_postgresql(struct service *s, struct err *err)
{
    const struct spec_postgresql *p = &s->spec->catalog;
    const struct db_server server = {
        .host = p->host, .port = p->port, .database = p->database, .user = p->user, .password_file = p->password_file};
    int rc = db_open_server(&server, &s->db, err);

    return rc < 0 ? err_prefix(err, "the catalog's PostgreSQL") : 0;
}

static int open_storage(struct service *s, struct err *err)
{
    int rc = 0;

    if (!s->objects) {
        struct str folder = data_path(s, "objects");
        if ((rc = file_make_folders(folder.p, 0700, err)) < 0 || (rc = objects_open(folder.p, &s->objects, err)) < 0)
            return rc;
    }
    if (!s->db)
        rc = s->spec->catalog.is_set ? open_postgresql(s, err)
                                     : db_open_sqlite(data_path(s, "catalog.db").p, &s->db, err);
    return rc;
}

static int make_iceberg(struct service *s, const struct spec_catalog *c, struct connector **ret, struct err *err)
{
    struct catalog *tables;
    /* Real Trino that opens the same tables is configured with the same name. */
    struct str name = spec_catalog_property(c, "iceberg.jdbc-catalog.catalog-name", NULL);
    int rc = open_storage(s, err);

    if (rc < 0 || (rc = catalog_open(s->db, str_is_null(name) ? c->name : name, c->name, &tables, err)) < 0)
        return rc;
    struct str warehouse = spec_catalog_property(c, "warehouse", "s3://trino-data");
    vec_push(&s->tables, ((struct catalog_rest_mount){c->name, tables, warehouse}));
    const struct iceberg_options o = {
        .catalog = c->name,
        .warehouse = warehouse,
        .tables = tables,
        .objects = s->objects,
        .engine = s->engine,
    };
    return iceberg_connector_new(&o, ret, err);
}

static int make_memory(struct service *s, const struct spec_catalog *c, struct connector **ret, struct err *err)
{
    return memory_connector_new(c->name, s->engine, ret, err);
}

/* One of two words, in any case; the error names the property's line. */
static int read_choice(const struct service *s, const struct spec_catalog *c, const char *name, const char *off,
                       const char *on, bool *ret, struct err *err)
{
    struct str value = spec_catalog_property(c, name, off);

    *ret = str_eq_nocase(value, str_from_cstr(on));
    if (*ret || str_eq_nocase(value, str_from_cstr(off)))
        return 0;
    for (size_t i = 0; i < c->property_count; i++)
        if (str_eq_cstr(c->properties[i].name, name))
            return spec_error(s, c->properties[i].line, err, "%s is %s or %s, not %.*s", name, off, on, STR_ARG(value));
    return 0;
}

static int make_tpch(struct service *s, const struct spec_catalog *c, struct connector **ret, struct err *err)
{
    bool standard, decimals;
    int rc = read_choice(s, c, "tpch.column-naming", "SIMPLIFIED", "STANDARD", &standard, err);

    if (rc == 0)
        rc = read_choice(s, c, "tpch.double-type-mapping", "DOUBLE", "DECIMAL", &decimals, err);
    if (rc < 0)
        return rc;
    return tpch_connector_new(c->name, s->engine, data_path(s, "sql/tpch").p, standard, decimals, ret, err);
}

static int make_tpcds(struct service *s, const struct spec_catalog *c, struct connector **ret, struct err *err)
{
    return tpcds_connector_new(c->name, s->engine, data_path(s, "sql/tpcds").p, ret, err);
}

static const struct connector_kind {
    const char *name;
    const char *properties[4]; /* that it knows; NULL-terminated */
    int (*make)(struct service *s, const struct spec_catalog *c, struct connector **ret, struct err *err);
} kinds[] = {
    {"iceberg", {"warehouse", "iceberg.jdbc-catalog.catalog-name"}, make_iceberg},
    {"memory", {NULL}, make_memory},
    {"tpcds", {NULL}, make_tpcds},
    {"tpch", {"tpch.column-naming", "tpch.double-type-mapping"}, make_tpch},
};

static bool knows_property(const struct connector_kind *k, struct str name)
{
    for (const char *const *p = k->properties; *p; p++)
        if (str_eq_cstr(name, *p))
            return true;
    return false;
}

static int mount_one(struct service *s, const struct spec_catalog *c, struct err *err)
{
    const struct connector_kind *kind = NULL;
    struct connector *connector;

    for (size_t i = 0; i < ARRAY_LEN(kinds) && !kind; i++)
        kind = str_eq_cstr(c->connector, kinds[i].name) ? &kinds[i] : NULL;
    if (!kind)
        return spec_error(s, c->line, err, "no connector is called %.*s: expected iceberg, memory, tpcds or tpch",
                          STR_ARG(c->connector));
    if (str_eq(c->name, STR("system")))
        return spec_error(s, c->line, err, "the catalog system is the server's own: choose another name");
    for (size_t i = 0; i < c->property_count; i++)
        if (!knows_property(kind, c->properties[i].name))
            return spec_error(s, c->properties[i].line, err, "the connector %s has no property %.*s", kind->name,
                              STR_ARG(c->properties[i].name));
    int rc = kind->make(s, c, &connector, err);
    if (rc < 0)
        return err_prefix(err, "the catalog %.*s", STR_ARG(c->name));
    vec_push(&s->connectors, connector);
    return 0;
}

static int by_catalog(const void *a, const void *b)
{
    return str_cmp((*(struct connector *const *)a)->catalog, (*(struct connector *const *)b)->catalog);
}

static int mount_all(struct service *s, struct err *err)
{
    int rc;

    s->virtual = (struct virtual_context){.catalogs = &s->set, .runtime = &s->runtime};
    s->virtual.information_schema = information_schema_new(&s->virtual);
    vec_push(&s->connectors, system_connector_new(&s->virtual));
    for (size_t i = 0; i < s->spec->catalog_count; i++)
        if ((rc = mount_one(s, &s->spec->catalogs[i], err)) < 0)
            return rc;
    qsort(s->connectors.items, s->connectors.n, sizeof(*s->connectors.items), by_catalog);
    s->set = (struct connector_set){s->connectors.items, s->connectors.n};
    return 0;
}

/* The same tables for clients that speak Iceberg's REST. */
static int open_rest(struct service *s, struct err *err)
{
    const struct catalog_rest_options o = {
        .mounts = s->tables.items,
        .mount_count = s->tables.n,
        .objects = s->objects,
        .store_url = arena_printf(&s->arena, "%s://%s:%d", s->spec->tls.on ? "https" : "http",
                                  pki_url_host(&s->arena, s->spec), s->spec->store.port),
        .ctx = &s->rest_access,
        .authenticate = rest_access_authenticate,
        .authorize = rest_access_authorize,
        .sees = rest_access_sees,
        .columns = rest_access_columns,
        .done = rest_access_done,
    };

    return s->tables.n ? catalog_rest_new(&o, &s->rest, err) : 0;
}

/* ---- system.runtime ---- */

static void list_queries(void *ctx, struct arena *a, struct runtime_query **ret, size_t *ret_n)
{
    static const char *const states[] = {
        [QUERY_QUEUED] = "QUEUED",   [QUERY_PLANNING] = "PLANNING",   [QUERY_STARTING] = "STARTING",
        [QUERY_RUNNING] = "RUNNING", [QUERY_FINISHING] = "FINISHING", [QUERY_FINISHED] = "FINISHED",
        [QUERY_FAILED] = "FAILED",
    };
    struct service *s = ctx;
    struct query_info *all;
    size_t n = queries_list(s->queries, a, &all);

    *ret = arena_array(a, struct runtime_query, n + 1);
    *ret_n = n;
    for (size_t i = 0; i < n; i++) {
        const struct query_stats *stats = &all[i].stats;
        struct runtime_query *q = &(*ret)[i];
        *q = (struct runtime_query){
            .query_id = all[i].id,
            .state = str_from_cstr(states[stats->state]),
            .user = all[i].user,
            .source = all[i].source,
            .query = all[i].text,
            .queued_ms = stats->queued_us / 1000,
            .analysis_ms = stats->analysis_us / 1000,
            .planning_ms = (stats->analysis_us + stats->planning_us) / 1000,
            .created_us = stats->created_us,
            .started_us = stats->state == QUERY_QUEUED ? 0 : stats->created_us + stats->queued_us,
            .last_heartbeat_us = all[i].ended_us ? all[i].ended_us : stats->created_us + stats->elapsed_us,
            .end_us = all[i].ended_us,
            .splits = stats->total_splits,
            .queued_splits = stats->queued_splits,
            .running_splits = stats->running_splits,
            .completed_splits = stats->completed_splits,
            .cpu_ms = stats->cpu_us / 1000,
            .input_rows = (int64_t)stats->processed_rows,
            .input_bytes = (int64_t)stats->processed_bytes,
            .physical_input_bytes = (int64_t)stats->physical_input_bytes,
            .output_rows = (int64_t)stats->output_rows,
            .written_bytes = (int64_t)stats->written_bytes,
        };
        if (stats->state >= QUERY_RUNNING && stats->total_splits > 0)
            q->task_state = stats->state == QUERY_FINISHED       ? STR("FINISHED")
                            : stats->state != QUERY_FAILED       ? STR("RUNNING")
                            : all[i].error.code == ERR_CANCELLED ? STR("CANCELED")
                                                                 : STR("FAILED");
        if (all[i].error.code) {
            const struct trino_error *e = trino_error_find(&all[i].error);
            q->error_type = str_from_cstr(e->type);
            q->error_code = str_from_cstr(e->name);
        }
    }
}

static void list_transactions(void *ctx, struct arena *a, struct runtime_transaction **ret, size_t *ret_n)
{
    struct service *s = ctx;
    struct transaction_info *all;
    size_t n = queries_list_transactions(s->queries, a, &all);

    *ret = arena_array(a, struct runtime_transaction, n + 1);
    *ret_n = n;
    for (size_t i = 0; i < n; i++)
        (*ret)[i] = (struct runtime_transaction){
            .id = all[i].id,
            .isolation = str_from_cstr(all[i].isolation),
            .read_only = all[i].read_only,
            .created_us = all[i].created_us,
            .idle_s = all[i].idle_ms / 1000,
            .catalogs = all[i].catalogs,
            .catalog_count = all[i].catalog_count,
        };
}

static int kill_query(void *ctx, const struct access *access, struct str id, struct str message, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct service *s = ctx;
    struct query_info query;
    struct err why = {0};

    if (!queries_get(s->queries, &scratch, id, &query))
        return err_set_named(err, ERR_NOT_FOUND, "NOT_FOUND", "Target query not found: %.*s", STR_ARG(id));
    int rc = access_check_kill_query(access, query.user, err);
    if (rc < 0)
        return rc;
    err_set_named(&why, ERR_CANCELLED, "ADMINISTRATIVELY_KILLED", "%.*s", STR_ARG(message));
    if (query.stats.state >= QUERY_FINISHED || !statement_cancel(s->server, id, &why))
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Target query is not running: %.*s", STR_ARG(id));
    return 0;
}

/* ---- the process ---- */

static int open_engine(struct service *s, const char *extension_dir, struct err *err)
{
    const struct engine_options o = {
        .temp_dir = data_path(s, "sql/spill"),
        .extension_dir = str_from_cstr(extension_dir),
        .memory_limit = s->spec->sql.memory,
        .threads = s->spec->sql.threads,
    };
    int rc = file_make_folders(data_path(s, "sql").p, 0700, err);

    return rc < 0 ? rc : engine_open(&o, &s->engine, err);
}

/* Tables are below these folders; the object library gives paths without links. */
static int lock_engine(struct service *s, struct err *err)
{
    char real[PATH_MAX];

    if (!realpath(arena_cstr(&s->arena, s->spec->data_dir), real))
        return err_set_errno(err, errno, "%.*s", STR_ARG(s->spec->data_dir));
    const struct str folders[] = {
        path_join(&s->arena, str_from_cstr(real), STR("objects/")),
        data_path(s, "sql/tpcds/"),
        data_path(s, "sql/tpch/"),
    };

    return engine_lock(s->engine, folders, ARRAY_LEN(folders), err);
}

static int start(struct service *s, const char *extension_dir, struct err *err)
{
    const struct spec *spec = s->spec;
    int rc = open_engine(s, extension_dir, err);

    if (rc < 0 || (rc = mount_all(s, err)) < 0 || (rc = lock_engine(s, err)) < 0)
        return rc;
    const struct access_control_options access = {
        .rules_file = spec->access.config_file,
        .groups_file = spec->access.group_file,
        .refresh_ms = spec->access.refresh_ms,
    };
    if ((rc = access_control_new(&access, &s->access, err)) < 0)
        return err_prefix(err, "services.sql.access-control");
    if ((rc = authenticators_new(spec, &s->authenticators, err)) < 0)
        return rc;
    s->rest_access = (struct rest_access){s->authenticators, s->access};
    if ((rc = open_rest(s, err)) < 0)
        return rc;
    const struct queries_options queries = {
        .engine = s->engine,
        .catalogs = &s->set,
        .information_schema = s->virtual.information_schema,
        .access = s->access,
        .max_running = spec->sql.max_queries,
    };
    if ((rc = queries_new(&queries, &s->queries, err)) < 0)
        return rc;
    s->runtime = (struct runtime_source){
        .ctx = s,
        .node_id = STR("sql"),
        .http_uri = arena_printf(&s->arena, "%s://%s:%d", spec->tls.on ? "https" : "http",
                                 pki_url_host(&s->arena, spec), spec->sql.port),
        .version = STR("476"),
        .list_queries = list_queries,
        .list_transactions = list_transactions,
        .kill_query = kill_query,
    };
    const struct trino_server_options server = {
        .address = arena_cstr(&s->arena, spec->bind),
        .port = spec->sql.port,
        .tls = pki_tls_with_clients(&s->arena, spec),
        .proxies = &spec->proxies,
        .node_id = "sql",
        .iceberg = s->rest ? catalog_rest_router(s->rest) : NULL,
        .queries = s->queries,
        .authenticators = s->authenticators,
        .access = s->access,
        .engine = s->engine,
        .memory_limit = spec->sql.memory,
        .client_timeout_ms = spec->sql.client_timeout_ms,
    };
    return trino_server_start(&server, &s->server, err);
}

static void stop(struct service *s)
{
    authenticators_stop(s->authenticators);
    trino_server_stop(s->server);
    authenticators_free(s->authenticators);
    catalog_rest_free(s->rest);
    queries_free(s->queries);
    access_control_free(s->access);
    for (size_t i = 0; i < s->connectors.n; i++)
        if (s->connectors.items[i]->ops->close)
            s->connectors.items[i]->ops->close(s->connectors.items[i]);
    vec_release(&s->connectors);
    if (s->virtual.information_schema && s->virtual.information_schema->ops->close)
        s->virtual.information_schema->ops->close(s->virtual.information_schema);
    for (size_t i = 0; i < s->tables.n; i++)
        catalog_close(s->tables.items[i].tables);
    vec_release(&s->tables);
    if (s->objects)
        objects_close(s->objects);
    if (s->db)
        db_close(s->db);
    if (s->engine)
        engine_close(s->engine);
    arena_release(&s->arena);
}

int trino_service_run(const struct spec *spec, struct secrets *secrets, const char *extension_dir, struct err *err)
{
    struct service s = {.spec = spec};
    (void)secrets; /* none yet: no password, and files are read without the store's keys */

    signal_setup();
    int rc = start(&s, extension_dir, err);
    if (rc == 0) {
        log_info("listening on %.*s:%d", STR_ARG(spec->bind), trino_server_port(s.server));
        signal_wait_stop(-1);
        log_info("stopping");
    }
    stop(&s);
    return rc;
}
