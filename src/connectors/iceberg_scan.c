/*
 * A scan of an Iceberg table as a FROM item: conjuncts prune files by partition and bounds, what is left is read by the
 * engine as local files, columns mapped by field id. Files are read in groups of one layout: by name where the layout
 * shows which name has which field id, which is the fast way; else by field id. Rows that delete files remove are taken out
 * by an anti join.
 */
#include "base/vec.h"
#include "connectors/iceberg_internal.h"
#include "emit/emit.h"

enum { FROM_MAX = 32 << 20 }; /* bytes: each file's path is in it */

static const struct iceberg_field *find_field(const struct iceberg_schema *s, int id)
{
    for (size_t i = 0; i < s->field_count; i++)
        if (s->fields[i].id == id)
            return &s->fields[i];
    return NULL;
}

/* ---- conjuncts to predicates ---- */

struct pruning {
    struct arena *a;
    const struct connector_scan *scan;
    const struct iceberg_schema *schema;
    struct {
        struct iceberg_predicate *items;
        size_t n, cap;
    } found;
};

static const struct iceberg_field *column_of(const struct pruning *p, const struct expr *e)
{
    if (e->kind != EXPR_COLUMN)
        return NULL;
    for (size_t i = 0; i < p->scan->column_count; i++)
        if (p->scan->ids[i] == e->column_id)
            return find_field(p->schema, p->scan->table->columns[p->scan->table_columns[i]].field_id);
    return NULL;
}

/* All of args[from…] as constants of the field's type; false when one is something else. */
static bool take_values(struct pruning *p, const struct iceberg_field *f, struct expr *const *args, size_t n,
                        struct iceberg_value **ret)
{
    *ret = arena_array(p->a, struct iceberg_value, n);
    for (size_t i = 0; i < n; i++)
        if (args[i]->kind != EXPR_CONSTANT || !iceberg_constant(f->type, &args[i]->constant, &(*ret)[i]))
            return false;
    return true;
}

static void add(struct pruning *p, const struct iceberg_field *f, enum iceberg_op op, struct expr *const *args,
                size_t n)
{
    struct iceberg_value *values;

    if (take_values(p, f, args, n, &values))
        vec_push_in(p->a, &p->found, ((struct iceberg_predicate){f->id, op, values, n}));
}

static void add_compare(struct pruning *p, const struct expr *e)
{
    static const struct {
        enum iceberg_op straight, swapped; /* column OP constant, constant OP column */
    } ops[] = {
        [COMPARE_EQ] = {ICEBERG_EQ, ICEBERG_EQ}, [COMPARE_NE] = {ICEBERG_NE, ICEBERG_NE},
        [COMPARE_LT] = {ICEBERG_LT, ICEBERG_GT}, [COMPARE_LE] = {ICEBERG_LE, ICEBERG_GE},
        [COMPARE_GT] = {ICEBERG_GT, ICEBERG_LT}, [COMPARE_GE] = {ICEBERG_GE, ICEBERG_LE},
    };
    const struct iceberg_field *f = column_of(p, e->args[0]);

    if (e->op > COMPARE_GE)
        return;
    if (f)
        add(p, f, ops[e->op].straight, e->args + 1, 1);
    else if ((f = column_of(p, e->args[1])))
        add(p, f, ops[e->op].swapped, e->args, 1);
}

static void add_conjunct(struct pruning *p, const struct expr *e)
{
    const struct iceberg_field *f;

    switch (e->kind) {
    case EXPR_AND:
        for (size_t i = 0; i < e->arg_count; i++)
            add_conjunct(p, e->args[i]);
        break;
    case EXPR_COMPARE:
        add_compare(p, e);
        break;
    case EXPR_BETWEEN:
        if ((f = column_of(p, e->args[0]))) {
            add(p, f, ICEBERG_GE, e->args + 1, 1);
            add(p, f, ICEBERG_LE, e->args + 2, 1);
        }
        break;
    case EXPR_IN:
        if ((f = column_of(p, e->args[0])))
            add(p, f, ICEBERG_IN, e->args + 1, e->arg_count - 1);
        break;
    case EXPR_IS_NULL:
        if ((f = column_of(p, e->args[0])))
            add(p, f, ICEBERG_IS_NULL, NULL, 0);
        break;
    case EXPR_NOT:
        if (e->args[0]->kind == EXPR_IS_NULL && (f = column_of(p, e->args[0]->args[0])))
            add(p, f, ICEBERG_NOT_NULL, NULL, 0);
        break;
    default: /* a hint only: the filter above applies it anyway */
        break;
    }
}

/* ---- what the reader can't map ---- */

static bool same_names(const struct iceberg_type *x, const struct iceberg_type *y)
{
    if (x->kind != y->kind || x->field_count != y->field_count)
        return x->field_count == 0 && y->field_count == 0;
    for (size_t i = 0; i < x->field_count; i++)
        if (x->fields[i].id != y->fields[i].id || !str_eq(x->fields[i].name, y->fields[i].name) ||
            !same_names(x->fields[i].type, y->fields[i].type))
            return false;
    return true;
}

/* The reader finds nested fields by name: where a schema of the table's past has others, it would read nulls. */
static int check_evolution(const struct iceberg_metadata *m, const struct iceberg_field *f, struct err *err)
{
    for (size_t i = 0; i < m->schema_count; i++) {
        const struct iceberg_field *past = find_field(&m->schemas[i], f->id);

        if (past && !same_names(past->type, f->type))
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "Reading column %.*s, whose nested fields have changed, is not supported",
                                 STR_ARG(f->name));
    }
    return 0;
}

static int check_files(const struct iceberg_scan *s, struct err *err)
{
    for (size_t i = 0; i < s->file_count; i++)
        if (!str_eq_nocase(s->files[i]->format, STR("PARQUET")))
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "Reading data files of format %.*s is not supported", STR_ARG(s->files[i]->format));
    for (size_t i = 0; i < s->delete_count; i++) {
        if (s->deletes[i]->content == 2)
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "Reading tables with equality deletes is not supported");
        if (!str_eq_nocase(s->deletes[i]->format, STR("PARQUET")))
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "Reading position deletes of format %.*s is not supported",
                                 STR_ARG(s->deletes[i]->format));
    }
    return 0;
}

/* ---- the text ---- */

struct writer {
    struct iceberg_connector *c;
    struct arena *a;
    const struct connector_scan *scan; /* of the columns that files have */
    const struct connector_scan *asked;
    const struct iceberg_metadata *m;
    const struct iceberg_schema *schema;
    const json_t *name_mapping; /* NULL: none */
    struct buf *to;
};

static int local_path(const struct writer *w, struct str location, struct str *ret, struct err *err)
{
    struct str bucket, key;
    uint64_t size;
    int rc = catalog_files_split(location, &bucket, &key, err);

    if (rc == 0)
        rc = objects_path(w->c->objects, w->a, bucket, key, ret, &size, err);
    if (rc < 0)
        return err_set_named(err, rc, "ICEBERG_MISSING_METADATA", "Cannot read the table's file %.*s",
                             STR_ARG(location));
    return 0;
}

static int find_paths(const struct writer *w, const struct iceberg_data_file *const *files, size_t n, struct str *paths,
                      struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = local_path(w, files[i]->path, &paths[i], err);
    return rc;
}

static void add_paths(const struct writer *w, const struct str *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_add_cstr(w->to, i ? ", " : "[");
        emit_string(w->to, paths[i]);
    }
    /* A folder above the store may be called x=1, which is no column. */
    buf_add_cstr(w->to, "], hive_partitioning = false");
}

static const struct iceberg_field *field_at(const struct writer *w, size_t i)
{
    return find_field(w->schema, w->scan->table->columns[w->scan->table_columns[i]].field_id);
}

static bool is_nested(const struct iceberg_type *t)
{
    return t->field_count > 0;
}

/* ---- groups of files ---- */

struct group {
    const struct iceberg_layout *layout; /* NULL: read by field id */
    struct str *paths;
    size_t n, cap;
    int64_t rows;
};

enum { GROUPS_MAX = 64 }; /* layouts of one scan that are read by name */

/* Whether a column can be read by name from files of a layout, or isn't there and so is null. */
static bool is_readable(const struct iceberg_layout *l, const struct iceberg_field *f)
{
    const struct iceberg_file_column *column = iceberg_layout_find(l, f->id);
    BUF_SCOPED struct buf type;

    if (is_nested(f->type)) /* nested fields would go by the file's names */
        return false;
    if (!column)
        return true;
    buf_init(&type, FROM_MAX);
    iceberg_format_file_type(&type, f->type);
    return str_eq(buf_str(&type), column->type);
}

static bool is_read_by_name(const struct writer *w, const struct iceberg_layout *l)
{
    if (!l || !l->is_clear || !l->has_ids)
        return false;
    for (size_t i = 0; i < w->scan->column_count; i++)
        if (!is_readable(l, field_at(w, i)))
            return false;
    return true;
}

/* Layouts of the files, NULL: unknown; those without field ids with the ids of the table's name mapping. */
static const struct iceberg_layout **find_layouts(const struct writer *w, const struct str *paths, size_t n)
{
    const struct iceberg_layout **layouts = arena_array(w->a, const struct iceberg_layout *, n);
    const struct iceberg_layout *from = NULL, *to = NULL; /* the last one mapped */

    if (w->scan->column_count > 0)
        iceberg_layouts_get(w->c->layouts, w->a, paths, n, layouts);
    for (size_t i = 0; w->name_mapping && i < n; i++) {
        if (!layouts[i] || layouts[i]->has_ids)
            continue;
        if (layouts[i] != from) {
            from = layouts[i];
            to = iceberg_layout_map(w->a, from, w->name_mapping);
        }
        layouts[i] = to;
    }
    return layouts;
}

/* Into groups, those by name before the one by field id; there are GROUPS_MAX + 1 at most. */
static int group_files(const struct writer *w, const struct iceberg_scan *s, const struct str *paths,
                       struct group *groups, size_t *ret_n, struct err *err)
{
    const struct iceberg_layout **layouts = find_layouts(w, paths, s->file_count);
    struct group by_id = {0};
    size_t n = 0;

    for (size_t i = 0; i < s->file_count; i++) {
        const struct iceberg_layout *l = layouts[i];
        struct group *g = &by_id;
        size_t k = 0;

        while (k < n && (!l || !str_eq(l->key, groups[k].layout->key)))
            k++;
        if (k == n && n < GROUPS_MAX && is_read_by_name(w, l))
            groups[n++] = (struct group){.layout = l};
        if (k < n)
            g = &groups[k];
        if (g == &by_id && l && l->is_mapped)
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "Reading data files without field ids whose columns have not the types of the table "
                                 "or are nested is not supported: %.*s",
                                 STR_ARG(s->files[i]->path));
        if (g->n == g->cap)
            g->paths = vec_grow_in(w->a, g->paths, &g->cap, g->n, sizeof(*g->paths));
        g->paths[g->n++] = paths[i];
        g->rows += s->files[i]->record_count;
    }
    if (by_id.n > 0)
        groups[n++] = by_id;
    *ret_n = n;
    return 0;
}

/* The schema argument: columns appear as c<id>, whatever a file calls them; one that a file lacks is null. */
static void add_schema(const struct writer *w)
{
    buf_add_cstr(w->to, ", schema = MAP {");
    for (size_t i = 0; i < w->scan->column_count; i++) {
        const struct iceberg_field *f = field_at(w, i);
        BUF_SCOPED struct buf type;

        buf_init(&type, FROM_MAX);
        iceberg_format_file_type(&type, f->type);
        buf_addf(w->to, "%s%d: {name: 'c%d', type: ", i ? ", " : "", f->id, w->scan->ids[i]);
        emit_string(w->to, buf_str(&type));
        buf_add_cstr(w->to, ", default_value: NULL}");
    }
    buf_add_char(w->to, '}');
}

static void add_column(const struct writer *w, const struct group *g, size_t i)
{
    const struct iceberg_field *f = field_at(w, i);
    const struct iceberg_file_column *column = g->layout ? iceberg_layout_find(g->layout, f->id) : NULL;

    if (column) {
        emit_identifier(w->to, column->name);
    } else if (g->layout) {
        buf_add_cstr(w->to, "CAST(NULL AS ");
        type_format_physical(w->to, iceberg_to_trino(w->a, f->type));
        buf_add_char(w->to, ')');
    } else {
        iceberg_read_value(w->to, f->type, arena_printf(w->a, "c%d", w->scan->ids[i]));
    }
    buf_addf(w->to, " AS c%d", w->scan->ids[i]);
}

/* Which columns say where a row is: dp_file, a local path, and dp_row. */
enum where { WHERE_UNSAID, WHERE_FILE, WHERE_ROW };

/* A SELECT of a group's rows. */
static void add_group(const struct writer *w, const struct group *g, enum where where)
{
    buf_add_cstr(w->to, w->scan->column_count ? "SELECT " : "SELECT 1 AS dummy");
    for (size_t i = 0; i < w->scan->column_count; i++) {
        if (i)
            buf_add_cstr(w->to, ", ");
        add_column(w, g, i);
    }
    if (where >= WHERE_FILE)
        buf_add_cstr(w->to, ", filename AS dp_file");
    if (where == WHERE_ROW)
        buf_add_cstr(w->to, ", file_row_number AS dp_row");
    buf_add_cstr(w->to, " FROM read_parquet(");
    add_paths(w, g->paths, g->n);
    /* The engine takes a read by schema for one of no rows, and orders joins badly: the manifests know better. */
    if (w->scan->column_count > 0 && (!g->layout || g->n > 1))
        buf_addf(w->to, ", explicit_cardinality = %lld", (long long)g->rows);
    if (w->scan->column_count > 0 && !g->layout)
        add_schema(w);
    if (where >= WHERE_FILE)
        buf_add_cstr(w->to, ", filename = true");
    if (where == WHERE_ROW)
        buf_add_cstr(w->to, ", file_row_number = true");
    buf_add_char(w->to, ')');
}

static void add_empty(const struct writer *w)
{
    buf_add_cstr(w->to, "(SELECT ");
    if (w->asked->column_count == 0)
        buf_add_cstr(w->to, "1 AS dummy");
    for (size_t i = 0; i < w->asked->column_count; i++) {
        buf_add_cstr(w->to, i ? ", CAST(NULL AS " : "CAST(NULL AS ");
        type_format_physical(w->to, w->asked->table->columns[w->asked->table_columns[i]].type);
        buf_addf(w->to, ") AS c%d", w->asked->ids[i]);
    }
    buf_add_cstr(w->to, " WHERE false)");
}

/* Positions to leave out, as (local file, row): the delete files name files by location, and apply to those that are
 * not newer than they are (specification: Scan Planning). */
static int add_deleted_rows(const struct writer *w, const struct iceberg_scan *s, const struct str *paths,
                            struct err *err)
{
    struct str *deletes = arena_array(w->a, struct str, s->delete_count);
    int rc = find_paths(w, s->deletes, s->delete_count, deletes, err);

    if (rc < 0)
        return rc;
    buf_add_cstr(
        w->to, "(SELECT f.local AS file, d.pos AS pos FROM (SELECT file_path, pos, filename AS of FROM read_parquet(");
    add_paths(w, deletes, s->delete_count);
    buf_add_cstr(w->to, ", filename = true)) d JOIN (VALUES ");
    for (size_t i = 0; i < s->delete_count; i++) {
        buf_add_cstr(w->to, i ? ", (" : "(");
        emit_string(w->to, deletes[i]);
        buf_addf(w->to, ", %lld)", (long long)s->deletes[i]->sequence_number);
    }
    buf_add_cstr(w->to, ") x(of, seq) ON d.of = x.of JOIN (VALUES ");
    for (size_t i = 0; i < s->file_count; i++) {
        buf_add_cstr(w->to, i ? ", (" : "(");
        emit_string(w->to, s->files[i]->path);
        buf_add_cstr(w->to, ", ");
        emit_string(w->to, paths[i]);
        buf_addf(w->to, ", %lld)", (long long)s->files[i]->sequence_number);
    }
    buf_add_cstr(w->to, ") f(location, local, seq) ON d.file_path = f.location AND f.seq <= x.seq)");
    return 0;
}

/* ---- columns that no file has ---- */

static int field_id_at(const struct connector_scan *scan, size_t i)
{
    return scan->table->columns[scan->table_columns[i]].field_id;
}

static bool has_hidden(const struct writer *w)
{
    return w->asked->column_count > w->scan->column_count;
}

static bool asks_for(const struct writer *w, int field_id)
{
    for (size_t i = 0; i < w->asked->column_count; i++)
        if (field_id_at(w->asked, i) == field_id)
            return true;
    return false;
}

/* The scan without them. */
static const struct connector_scan *scan_of_files(struct arena *a, const struct connector_scan *asked)
{
    struct connector_scan *scan = arena_new(a, struct connector_scan);
    size_t *columns = arena_array(a, size_t, asked->column_count);
    int *ids = arena_array(a, int, asked->column_count);

    *scan = *asked;
    scan->table_columns = columns;
    scan->ids = ids;
    scan->column_count = 0;
    for (size_t i = 0; i < asked->column_count; i++) {
        if (field_id_at(asked, i) < 0)
            continue;
        columns[scan->column_count] = asked->table_columns[i];
        ids[scan->column_count++] = asked->ids[i];
    }
    return scan;
}

/* "(SELECT data.c1, facts.location AS c2, … FROM ", in the order in which they were asked for. */
static void add_asked(const struct writer *w)
{
    buf_add_cstr(w->to, "(SELECT ");
    for (size_t i = 0; i < w->asked->column_count; i++) {
        int id = field_id_at(w->asked, i);

        buf_addf(w->to, "%s%s", i ? ", " : "",
                 id == ICEBERG_COLUMN_PATH       ? "facts.location AS "
                 : id == ICEBERG_COLUMN_MODIFIED ? "facts.modified AS "
                 : id == ICEBERG_COLUMN_POSITION ? "data.dp_row AS "
                                                 : "data.");
        buf_addf(w->to, "c%d", w->asked->ids[i]);
    }
    buf_add_cstr(w->to, " FROM ");
}

static int file_modified_ms(const struct writer *w, struct str location, int64_t *ret, struct err *err)
{
    struct objects_info info;
    struct str bucket, key;
    int rc = catalog_files_split(location, &bucket, &key, err);

    if (rc == 0)
        rc = objects_head(w->c->objects, w->a, bucket, key, &info, err);
    if (rc == 0)
        *ret = info.modified_ms / 1000 * 1000; /* Trino has it from the header Last-Modified */
    return rc;
}

/* The rest of what add_asked began. */
static int add_file_facts(const struct writer *w, const struct iceberg_scan *s, const struct str *paths,
                          struct err *err)
{
    bool needs_time = asks_for(w, ICEBERG_COLUMN_MODIFIED);
    int rc = 0;

    buf_add_cstr(w->to, " data JOIN (VALUES ");
    for (size_t i = 0; rc == 0 && i < s->file_count; i++) {
        int64_t modified_ms = 0;

        if (needs_time)
            rc = file_modified_ms(w, s->files[i]->path, &modified_ms, err);
        buf_add_cstr(w->to, i ? ", (" : "(");
        emit_string(w->to, paths[i]);
        buf_add_cstr(w->to, ", ");
        emit_string(w->to, s->files[i]->path);
        buf_addf(w->to, ", make_timestamptz(CAST(%lld AS BIGINT)))", (long long)modified_ms * 1000);
    }
    buf_add_cstr(w->to, ") facts(local, location, modified) ON data.dp_file = facts.local)");
    return rc;
}

static int add_files(const struct writer *w, const struct iceberg_scan *s, struct err *err)
{
    struct str *paths = arena_array(w->a, struct str, s->file_count);
    struct group groups[GROUPS_MAX + 1];
    bool has_deletes = s->delete_count > 0;
    size_t n;
    int rc = find_paths(w, s->files, s->file_count, paths, err);

    if (rc == 0)
        rc = group_files(w, s, paths, groups, &n, err);
    if (rc < 0)
        return rc;
    enum where where = has_deletes || asks_for(w, ICEBERG_COLUMN_POSITION) ? WHERE_ROW
                       : has_hidden(w)                                     ? WHERE_FILE
                                                                           : WHERE_UNSAID;
    if (has_hidden(w))
        add_asked(w);
    if (has_deletes)
        buf_add_cstr(w->to, has_hidden(w) ? "(SELECT * FROM (" : "(SELECT * EXCLUDE (dp_file, dp_row) FROM (");
    else
        buf_add_char(w->to, '(');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_cstr(w->to, " UNION ALL ");
        add_group(w, &groups[i], where);
    }
    if (has_deletes) {
        buf_add_cstr(w->to, ") data ANTI JOIN ");
        rc = add_deleted_rows(w, s, paths, err);
        buf_add_cstr(w->to, " gone ON data.dp_file = gone.file AND data.dp_row = gone.pos");
    }
    buf_add_char(w->to, ')');
    return rc == 0 && has_hidden(w) ? add_file_facts(w, s, paths, err) : rc;
}

/* What keeps a scan's files and metadata while it runs. */
struct scan_pin {
    struct iceberg_scan scan;
    struct objects_pin *files;
};

void iceberg_release_plan(struct connector *c, void *pin)
{
    struct scan_pin *p = pin;

    (void)c;
    objects_pin_free(p->files);
    iceberg_scan_release(&p->scan);
}

int iceberg_plan(struct connector *c, struct arena *a, const struct connector_scan *scan,
                 struct connector_scan_plan *ret, struct err *err)
{
    struct iceberg_connector *ic = iceberg_of(c);
    struct iceberg_metadata *m = ((struct iceberg_handle *)scan->table->handle)->metadata;
    struct pruning pruning = {.a = a, .scan = scan, .schema = iceberg_current_schema(m)};
    struct scan_pin *pin = arena_new(a, struct scan_pin);
    struct iceberg_scan *s = &pin->scan;
    BUF_SCOPED struct buf text;
    JSON_SCOPED json_t *mapping = NULL;
    struct writer w = {ic, a, scan_of_files(a, scan), scan, m, pruning.schema, NULL, &text};
    struct str mapping_text = iceberg_property(m, "schema.name-mapping.default");
    int rc = str_is_null(mapping_text) ? 0 : json_parse(mapping_text, &mapping, err);

    if (rc < 0)
        return err_prefix(err, "the table's property schema.name-mapping.default");
    w.name_mapping = mapping;
    buf_init(&text, FROM_MAX);
    for (size_t i = 0; rc == 0 && i < w.scan->column_count; i++)
        rc = check_evolution(m, field_at(&w, i), err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < scan->conjunct_count; i++)
        add_conjunct(&pruning, scan->conjuncts[i]);
    rc = iceberg_plan_scan(ic->cache, a, m, iceberg_current_snapshot(m), pruning.found.items, pruning.found.n, s, err);
    if (rc < 0)
        return rc;
    rc = check_files(s, err);
    if (rc == 0)
        rc = objects_pin_new(ic->objects, &pin->files, err);
    if (rc == 0 && s->file_count == 0)
        add_empty(&w);
    else if (rc == 0)
        rc = add_files(&w, s, err);
    if (rc == 0)
        rc = buf_check(&text, "the plan of a table's scan", err);
    if (rc < 0) {
        iceberg_release_plan(c, pin);
        return rc;
    }
    ret->from = arena_str(a, buf_str(&text));
    for (size_t i = 0; i < s->file_count; i++)
        ret->row_count += (uint64_t)s->files[i]->record_count;
    ret->pin = pin;
    return 0;
}
