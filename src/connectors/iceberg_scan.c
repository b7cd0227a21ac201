/*
 * A scan of an Iceberg table as a FROM item: conjuncts prune files by partition and bounds, what is left is read by the
 * engine as local files, columns mapped by field id. Rows that delete files remove are taken out by an anti join.
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
    const struct connector_scan *scan;
    const struct iceberg_metadata *m;
    const struct iceberg_schema *schema;
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

static int add_paths(const struct writer *w, const struct iceberg_data_file *const *files, size_t n, struct str *paths,
                     struct err *err)
{
    buf_add_char(w->to, '[');
    for (size_t i = 0; i < n; i++) {
        int rc = local_path(w, files[i]->path, &paths[i], err);

        if (rc < 0)
            return rc;
        if (i)
            buf_add_cstr(w->to, ", ");
        emit_string(w->to, paths[i]);
    }
    buf_add_char(w->to, ']');
    return 0;
}

static const struct iceberg_field *field_at(const struct writer *w, size_t i)
{
    return find_field(w->schema, w->scan->table->columns[w->scan->table_columns[i]].field_id);
}

static bool is_nested(const struct iceberg_type *t)
{
    return t->field_count > 0;
}

/* The schema argument: columns appear as c<id>, whatever a file calls them; one that a file lacks is null. */
static void add_schema(const struct writer *w, int64_t rows)
{
    if (w->scan->column_count == 0)
        return;
    /* The engine takes a read by schema for one of no rows, and orders joins badly: the manifests know better. */
    buf_addf(w->to, ", explicit_cardinality = %lld, schema = MAP {", (long long)rows);
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

static void add_columns(const struct writer *w)
{
    if (w->scan->column_count == 0)
        buf_add_cstr(w->to, "1 AS dummy");
    for (size_t i = 0; i < w->scan->column_count; i++) {
        struct str name = arena_printf(w->a, "c%d", w->scan->ids[i]);

        if (i)
            buf_add_cstr(w->to, ", ");
        iceberg_read_value(w->to, field_at(w, i)->type, name);
        buf_addf(w->to, " AS %.*s", STR_ARG(name));
    }
}

static void add_empty(const struct writer *w)
{
    buf_add_cstr(w->to, "(SELECT ");
    if (w->scan->column_count == 0)
        buf_add_cstr(w->to, "1 AS dummy");
    for (size_t i = 0; i < w->scan->column_count; i++) {
        buf_add_cstr(w->to, i ? ", CAST(NULL AS " : "CAST(NULL AS ");
        type_format_physical(w->to, iceberg_to_trino(w->a, field_at(w, i)->type));
        buf_addf(w->to, ") AS c%d", w->scan->ids[i]);
    }
    buf_add_cstr(w->to, " WHERE false)");
}

/* Positions to leave out, as (local file, row): the delete files name files by location, and apply to those that are
 * not newer than they are (specification: Scan Planning). */
static int add_deleted_rows(const struct writer *w, const struct iceberg_scan *s, const struct str *paths,
                            struct err *err)
{
    struct str *deletes = arena_array(w->a, struct str, s->delete_count);
    int rc;

    buf_add_cstr(
        w->to, "(SELECT f.local AS file, d.pos AS pos FROM (SELECT file_path, pos, filename AS of FROM read_parquet(");
    rc = add_paths(w, s->deletes, s->delete_count, deletes, err);
    if (rc < 0)
        return rc;
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

static int add_files(const struct writer *w, const struct iceberg_scan *s, struct err *err)
{
    struct str *paths = arena_array(w->a, struct str, s->file_count);
    bool has_deletes = s->delete_count > 0, is_plain = !has_deletes && w->scan->column_count > 0;
    int rc;

    for (size_t i = 0; i < w->scan->column_count; i++)
        is_plain = is_plain && !is_nested(field_at(w, i)->type);
    if (!is_plain) {
        buf_add_cstr(w->to, "(SELECT ");
        add_columns(w);
        buf_add_cstr(w->to, " FROM ");
    }
    buf_add_cstr(w->to, "read_parquet(");
    rc = add_paths(w, s->files, s->file_count, paths, err);
    if (rc < 0)
        return rc;
    add_schema(w, s->records);
    if (has_deletes)
        buf_add_cstr(w->to, ", filename = true, file_row_number = true");
    buf_add_char(w->to, ')');
    if (has_deletes) {
        buf_add_cstr(w->to, " data ANTI JOIN ");
        rc = add_deleted_rows(w, s, paths, err);
        buf_add_cstr(w->to, " gone ON data.filename = gone.file AND data.file_row_number = gone.pos");
    }
    if (!is_plain)
        buf_add_char(w->to, ')');
    return rc;
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
    struct writer w = {ic, a, scan, m, pruning.schema, &text};
    int rc = 0;

    buf_init(&text, FROM_MAX);
    for (size_t i = 0; rc == 0 && i < scan->column_count; i++)
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
    ret->pin = pin;
    return 0;
}
