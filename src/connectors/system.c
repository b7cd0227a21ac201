#include "connectors/system.h"
#include "access/access.h"
#include "base/vec.h"
#include "connectors/listing.h"

struct system_connector {
    struct connector base;
    const struct virtual_context *context;
};

/* ---- system.metadata ---- */

static int fill_catalogs(struct virtual_scan *s, struct err *err)
{
    for (size_t i = 0; i < s->context->catalogs->n; i++) {
        const struct connector *c = s->context->catalogs->items[i];
        if (!access_sees_catalog(s->request->access, c->catalog))
            continue;
        int r = virtual_begin_row(s, err);

        if (r < 0)
            return r;
        virtual_add_str(s, c->catalog);
        virtual_add_str(s, c->catalog);
        virtual_add_cstr(s, c->ops->kind);
    }
    return 0;
}

static int add_comment(struct virtual_scan *s, const struct connector_table *t, struct err *err)
{
    int r = virtual_begin_row(s, err);

    if (r < 0)
        return r;
    virtual_add_str(s, arena_str(s->arena, t->catalog));
    virtual_add_str(s, arena_str(s->arena, t->schema));
    virtual_add_str(s, arena_str(s->arena, t->name));
    virtual_add_str(s, str_is_null(t->comment) ? STR_NULL : arena_str(s->arena, t->comment));
    return 0;
}

static int fill_table_comments(struct virtual_scan *s, struct err *err)
{
    static const struct listing_filter filter = {"catalog_name", "schema_name", "table_name"};

    return listing_each_table(s, NULL, &filter, true, add_comment, err);
}

static int add_properties(struct virtual_scan *s, const struct connector *c, const struct connector_property *defs,
                          size_t n, struct err *err)
{
    for (size_t i = 0; i < n && access_sees_catalog(s->request->access, c->catalog); i++) {
        int r = virtual_begin_row(s, err);

        if (r < 0)
            return r;
        virtual_add_str(s, c->catalog);
        virtual_add_cstr(s, defs[i].name);
        virtual_add_cstr(s, defs[i].default_value ? defs[i].default_value : "");
        virtual_add_str(s, type_name(s->arena, defs[i].type));
        virtual_add_cstr(s, defs[i].description);
    }
    return 0;
}

static int fill_table_properties(struct virtual_scan *s, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->context->catalogs->n; i++) {
        const struct connector *c = s->context->catalogs->items[i];
        r = add_properties(s, c, c->ops->table_property_defs, c->ops->table_property_count, err);
    }
    return r;
}

static int fill_schema_properties(struct virtual_scan *s, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->context->catalogs->n; i++) {
        const struct connector *c = s->context->catalogs->items[i];
        r = add_properties(s, c, c->ops->schema_property_defs, c->ops->schema_property_count, err);
    }
    return r;
}

/* There are no materialized views, column or analyze properties, and no rules of an optimizer of ours. */
static int fill_nothing(struct virtual_scan *s, struct err *err)
{
    (void)s;
    (void)err;
    return 0;
}

/* ---- system.runtime ---- */

static int fill_nodes(struct virtual_scan *s, struct err *err)
{
    const struct runtime_source *runtime = s->context->runtime;
    int r = virtual_begin_row(s, err);

    if (r < 0)
        return r;
    virtual_add_str(s, runtime->node_id);
    virtual_add_str(s, runtime->http_uri);
    virtual_add_str(s, runtime->version);
    virtual_add_bool(s, true);
    virtual_add_cstr(s, "active");
    return 0;
}

static void add_time(struct virtual_scan *s, int64_t us)
{
    if (us)
        virtual_add_i64(s, us / 1000 * 1000); /* timestamp(3) */
    else
        virtual_add_null(s);
}

/* Nobody is grouped: Trino's group without a configuration. */
static const struct constant resource_group[] = {{.text = {"global", 6}}};

static int fill_queries(struct virtual_scan *s, struct err *err)
{
    struct runtime_query *queries;
    size_t n;

    s->context->runtime->list_queries(s->context->runtime->ctx, s->arena, &queries, &n);
    for (size_t i = 0; i < n; i++) {
        const struct runtime_query *q = &queries[i];
        if (access_check_view_query(s->request->access, q->user, NULL) < 0)
            continue;
        int r = virtual_begin_row(s, err);

        if (r < 0)
            return r;
        virtual_add_str(s, q->query_id);
        virtual_add_str(s, q->state);
        virtual_add_str(s, q->user);
        virtual_add_str(s, q->source);
        virtual_add_str(s, q->query);
        virtual_add_array(s, resource_group, ARRAY_LEN(resource_group));
        virtual_add_i64(s, q->queued_ms);
        virtual_add_i64(s, q->analysis_ms);
        virtual_add_i64(s, q->planning_ms);
        add_time(s, q->created_us);
        add_time(s, q->started_us);
        add_time(s, q->last_heartbeat_us);
        add_time(s, q->end_us);
        virtual_add_str(s, q->error_type);
        virtual_add_str(s, q->error_code);
    }
    return 0;
}

/* A query is one task: its plan runs on one node, in one stage. */
static int fill_tasks(struct virtual_scan *s, struct err *err)
{
    const struct runtime_source *runtime = s->context->runtime;
    struct runtime_query *queries;
    size_t n;

    runtime->list_queries(runtime->ctx, s->arena, &queries, &n);
    for (size_t i = 0; i < n; i++) {
        const struct runtime_query *q = &queries[i];

        if (str_is_null(q->task_state))
            continue;
        int r = virtual_begin_row(s, err);
        if (r < 0)
            return r;
        virtual_add_str(s, runtime->node_id);
        virtual_add_str(s, arena_printf(s->arena, "%.*s.0.0.0", STR_ARG(q->query_id)));
        virtual_add_str(s, arena_printf(s->arena, "%.*s.0", STR_ARG(q->query_id)));
        virtual_add_str(s, q->query_id);
        virtual_add_str(s, q->task_state);
        virtual_add_i64(s, q->splits);
        virtual_add_i64(s, q->queued_splits);
        virtual_add_i64(s, q->running_splits);
        virtual_add_i64(s, q->completed_splits);
        virtual_add_null(s); /* split_scheduled_time_ms */
        virtual_add_i64(s, q->cpu_ms);
        virtual_add_null(s); /* split_blocked_time_ms */
        virtual_add_i64(s, q->input_bytes);
        virtual_add_i64(s, q->input_rows);
        virtual_add_i64(s, q->input_bytes);
        virtual_add_i64(s, q->input_rows);
        virtual_add_null(s); /* output_bytes */
        virtual_add_i64(s, q->output_rows);
        virtual_add_i64(s, q->physical_input_bytes);
        virtual_add_i64(s, q->written_bytes);
        add_time(s, q->started_us);
        add_time(s, q->started_us);
        add_time(s, q->last_heartbeat_us);
        add_time(s, q->end_us);
    }
    return 0;
}

static int fill_transactions(struct virtual_scan *s, struct err *err)
{
    struct runtime_transaction *transactions;
    size_t n;

    s->context->runtime->list_transactions(s->context->runtime->ctx, s->arena, &transactions, &n);
    for (size_t i = 0; i < n; i++) {
        const struct runtime_transaction *t = &transactions[i];
        struct constant *catalogs = arena_array(s->arena, struct constant, t->catalog_count + 1);
        int r = virtual_begin_row(s, err);

        if (r < 0)
            return r;
        for (size_t k = 0; k < t->catalog_count; k++)
            catalogs[k].text = t->catalogs[k];
        virtual_add_str(s, t->id);
        virtual_add_str(s, t->isolation);
        virtual_add_bool(s, t->read_only);
        virtual_add_bool(s, false); /* auto_commit_context */
        add_time(s, t->created_us);
        virtual_add_i64(s, t->idle_s);
        virtual_add_null(s); /* written_catalog: none can be written in it */
        virtual_add_array(s, catalogs, t->catalog_count);
    }
    return 0;
}

static int kill_query(struct connector *c, struct arena *a, const struct access *access,
                      const struct constant *arguments, struct err *err)
{
    const struct runtime_source *runtime = ((struct system_connector *)c)->context->runtime;
    struct str message = STR("No message provided.");

    if (arguments[0].is_null)
        return err_set_named(err, ERR_INVALID, "INVALID_PROCEDURE_ARGUMENT", "query_id cannot be null");
    if (!arguments[1].is_null && arguments[1].text.n > 0)
        message = arena_printf(a, "Message: %.*s", STR_ARG(arguments[1].text));
    return runtime->kill_query(runtime->ctx, access, arguments[0].text,
                               arena_printf(a, "Query killed. %.*s", STR_ARG(message)), err);
}

static const struct connector_procedure procedures[] = {
    {"runtime", "kill_query", {{"query_id", &type_varchar, false}, {"message", &type_varchar, true}}, 2, kill_query},
};

/* ---- the connector ---- */

static const struct type array_of_varchar = {.kind = TYPE_ARRAY, .element = &type_varchar};
static const struct type timestamp_3_utc = {.kind = TYPE_TIMESTAMP_TZ, .precision = 3, .zone = {"UTC", 3}};

#define V(column)                    \
    {                                \
        column, &type_varchar, false \
    }
#define I(column)                   \
    {                               \
        column, &type_bigint, false \
    }
#define B(column)                    \
    {                                \
        column, &type_boolean, false \
    }
#define T(column)                       \
    {                                   \
        column, &timestamp_3_utc, false \
    }

static const struct virtual_column catalogs_columns[] = {V("catalog_name"), V("connector_id"), V("connector_name")};
static const struct virtual_column comments_columns[] = {V("catalog_name"), V("schema_name"), V("table_name"),
                                                         V("comment")};
static const struct virtual_column property_columns[] = {V("catalog_name"), V("property_name"), V("default_value"),
                                                         V("type"), V("description")};
static const struct virtual_column materialized_views_columns[] = {
    V("catalog_name"),  V("schema_name"), V("name"),  V("storage_catalog"), V("storage_schema"),
    V("storage_table"), V("freshness"),   V("owner"), V("comment"),         V("definition")};
static const struct virtual_column nodes_columns[] = {V("node_id"), V("http_uri"), V("node_version"), B("coordinator"),
                                                      V("state")};
static const struct virtual_column queries_columns[] = {V("query_id"),
                                                        V("state"),
                                                        V("user"),
                                                        V("source"),
                                                        V("query"),
                                                        {"resource_group_id", &array_of_varchar, false},
                                                        I("queued_time_ms"),
                                                        I("analysis_time_ms"),
                                                        I("planning_time_ms"),
                                                        T("created"),
                                                        T("started"),
                                                        T("last_heartbeat"),
                                                        T("end"),
                                                        V("error_type"),
                                                        V("error_code")};

static const struct virtual_column rule_stats_columns[] = {
    V("rule_name"), I("invocations"), I("matches"), I("failures"), {"average_time", &type_double, false}};
static const struct virtual_column tasks_columns[] = {V("node_id"),
                                                      V("task_id"),
                                                      V("stage_id"),
                                                      V("query_id"),
                                                      V("state"),
                                                      I("splits"),
                                                      I("queued_splits"),
                                                      I("running_splits"),
                                                      I("completed_splits"),
                                                      I("split_scheduled_time_ms"),
                                                      I("split_cpu_time_ms"),
                                                      I("split_blocked_time_ms"),
                                                      I("raw_input_bytes"),
                                                      I("raw_input_rows"),
                                                      I("processed_input_bytes"),
                                                      I("processed_input_rows"),
                                                      I("output_bytes"),
                                                      I("output_rows"),
                                                      I("physical_input_bytes"),
                                                      I("physical_written_bytes"),
                                                      T("created"),
                                                      T("start"),
                                                      T("last_heartbeat"),
                                                      T("end")};
static const struct virtual_column transactions_columns[] = {
    V("transaction_id"), V("isolation_level"), B("read_only"),       B("auto_commit_context"),
    T("create_time"),    I("idle_time_secs"),  V("written_catalog"), {"catalogs", &array_of_varchar, false}};

#define TABLE(schema_, name_, columns_, fill_)               \
    &(const struct virtual_table)                            \
    {                                                        \
        schema_, name_, columns_, ARRAY_LEN(columns_), fill_ \
    }

static const struct virtual_table *const own_tables[] = {
    TABLE("metadata", "analyze_properties", property_columns, fill_nothing),
    TABLE("metadata", "catalogs", catalogs_columns, fill_catalogs),
    TABLE("metadata", "column_properties", property_columns, fill_nothing),
    TABLE("metadata", "materialized_view_properties", property_columns, fill_nothing),
    TABLE("metadata", "materialized_views", materialized_views_columns, fill_nothing),
    TABLE("metadata", "schema_properties", property_columns, fill_schema_properties),
    TABLE("metadata", "table_comments", comments_columns, fill_table_comments),
    TABLE("metadata", "table_properties", property_columns, fill_table_properties),
    TABLE("runtime", "nodes", nodes_columns, fill_nodes),
    TABLE("runtime", "optimizer_rule_stats", rule_stats_columns, fill_nothing),
    TABLE("runtime", "queries", queries_columns, fill_queries),
    TABLE("runtime", "tasks", tasks_columns, fill_tasks),
    TABLE("runtime", "transactions", transactions_columns, fill_transactions),
};

static int list_schemas(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    static const struct str names[] = {{"jdbc", 4}, {"metadata", 8}, {"runtime", 7}};

    (void)c;
    (void)err;
    *ret = arena_array(a, struct str, ARRAY_LEN(names));
    memcpy(*ret, names, sizeof(names));
    *ret_n = ARRAY_LEN(names);
    return 0;
}

static void list_from(const struct virtual_table *const *tables, size_t n, struct str schema,
                      struct connector_table_name *to, size_t *at)
{
    for (size_t i = 0; i < n; i++)
        if (str_is_null(schema) || str_eq_cstr(schema, tables[i]->schema))
            to[(*at)++] = (struct connector_table_name){.schema = str_from_cstr(tables[i]->schema),
                                                        .name = str_from_cstr(tables[i]->name)};
}

static int list_tables(struct connector *c, struct arena *a, struct str schema, struct connector_table_name **ret,
                       size_t *ret_n, struct err *err)
{
    size_t n = 0;

    (void)c;
    (void)err;
    *ret = arena_array(a, struct connector_table_name, ARRAY_LEN(own_tables) + system_jdbc_table_count);
    list_from(system_jdbc_tables, system_jdbc_table_count, schema, *ret, &n);
    list_from(own_tables, ARRAY_LEN(own_tables), schema, *ret, &n);
    *ret_n = n;
    return 0;
}

static int get_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                     struct connector_table **ret, struct err *err)
{
    const struct virtual_table *t = virtual_find(own_tables, ARRAY_LEN(own_tables), schema, name);

    (void)err;
    if (!t)
        t = virtual_find(system_jdbc_tables, system_jdbc_table_count, schema, name);
    *ret = t ? virtual_make_table(c, a, t) : NULL;
    return 0;
}

static int plan_scan(struct connector *c, struct arena *a, const struct connector_scan *scan,
                     struct connector_scan_plan *ret, struct err *err)
{
    return virtual_plan_scan(((struct system_connector *)c)->context, a, scan, ret, err);
}

static void close_connector(struct connector *c)
{
    free(c);
}

static const struct connector_ops ops = {
    .kind = "system",
    .list_schemas = list_schemas,
    .list_tables = list_tables,
    .get_table = get_table,
    .plan_scan = plan_scan,
    .procedures = procedures,
    .procedure_count = ARRAY_LEN(procedures),
    .close = close_connector,
};

struct connector *system_connector_new(const struct virtual_context *context)
{
    struct system_connector *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->base = (struct connector){.ops = &ops, .catalog = STR("system")};
    s->context = context;
    return &s->base;
}
