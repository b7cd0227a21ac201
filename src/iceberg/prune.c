/*
 * Pruning by partition summaries, partition values and column bounds.
 *
 * All three are the same question: values lie in a range, some may be null or NaN; can one of them satisfy the
 * predicate? For partitions the predicate is first carried over to the transform's results (inclusive projection): all
 * transforms but bucket keep order, so column < v gives result <= transform(v).
 *
 * In doubt the answer is yes: an unknown count, a bound that can't be read, NaN as a value or a bound.
 */
#include "iceberg/prune.h"

#include "iceberg/metadata.h"
#include "iceberg/schema.h"

struct range {
    const struct iceberg_type *type;
    bool may_be_null, may_be_value; /* value: not null (and for comparisons, not NaN) */
    bool has_lower, has_upper;
    struct iceberg_value lower, upper;
};

static bool is_nan(const struct iceberg_type *t, const struct iceberg_value *v)
{
    return (t->kind == ICEBERG_FLOAT || t->kind == ICEBERG_DOUBLE) && v->f != v->f;
}

static bool below_lower(const struct range *r, const struct iceberg_value *v)
{
    return r->has_lower && iceberg_value_compare(r->type, v, &r->lower) < 0;
}

static bool above_upper(const struct range *r, const struct iceberg_value *v)
{
    return r->has_upper && iceberg_value_compare(r->type, v, &r->upper) > 0;
}

static bool may_match(const struct range *r, enum iceberg_op op, const struct iceberg_value *values, size_t n)
{
    if (op == ICEBERG_IS_NULL)
        return r->may_be_null;
    if (!r->may_be_value)
        return false;
    if (op == ICEBERG_NOT_NULL)
        return true;
    for (size_t i = 0; i < n; i++) {
        const struct iceberg_value *v = &values[i];
        if (v->is_null)
            continue; /* compares to nothing */
        if (is_nan(r->type, v))
            return true;
        switch (op) {
        case ICEBERG_EQ:
        case ICEBERG_IN:
            if (!below_lower(r, v) && !above_upper(r, v))
                return true;
            break;
        case ICEBERG_LT:
            if (!r->has_lower || iceberg_value_compare(r->type, &r->lower, v) < 0)
                return true;
            break;
        case ICEBERG_LE:
            if (!below_lower(r, v))
                return true;
            break;
        case ICEBERG_GT:
            if (!r->has_upper || iceberg_value_compare(r->type, &r->upper, v) > 0)
                return true;
            break;
        case ICEBERG_GE:
            if (!above_upper(r, v))
                return true;
            break;
        default: /* <> : bounds may be rounded, so they don't prove that all are equal */
            return true;
        }
    }
    return false;
}

/* iceberg-core's order of UUIDs has changed between releases: what it calls a bound may be none. */
static bool has_order(const struct iceberg_type *t)
{
    return t->kind != ICEBERG_UUID && t->kind < ICEBERG_STRUCT;
}

/* Bounds with NaN come from writers that compared with it: they prove nothing. */
static void set_bound(struct range *r, bool upper, struct str bytes)
{
    struct iceberg_value v;

    if (str_is_null(bytes) || !has_order(r->type) || iceberg_value_decode(r->type, bytes, &v, NULL) < 0 ||
        is_nan(r->type, &v))
        return;
    if (upper) {
        r->has_upper = true;
        r->upper = v;
    } else {
        r->has_lower = true;
        r->lower = v;
    }
}

/* ---- predicates over a transform's results ---- */

struct projected {
    enum iceberg_op op;
    struct iceberg_value *values;
    size_t n;
};

/* The next value down or up, for types with one: makes the exclusive comparison an inclusive one. */
static struct iceberg_value step(const struct iceberg_type *t, struct iceberg_value v, int by)
{
    switch (t->kind) {
    case ICEBERG_INT:
    case ICEBERG_LONG:
    case ICEBERG_DATE:
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ:
        if (v.i != INT64_MAX && v.i != INT64_MIN)
            v.i += by;
        break;
    case ICEBERG_DECIMAL:
        v.unscaled += by;
        break;
    default: /* text: stays, which is the wider range */
        break;
    }
    return v;
}

/* Writers before iceberg-core 0.12 rounded dates and times before 1970 up instead of down, so that results below zero
 * may be one too high (ProjectionUtil.fixInclusiveTimeProjection). */
static bool is_time(enum iceberg_transform t)
{
    return t == ICEBERG_YEAR || t == ICEBERG_MONTH || t == ICEBERG_DAY || t == ICEBERG_HOUR;
}

/* False: says nothing about this field. */
static bool project(struct arena *a, const struct iceberg_partition_field *f, const struct iceberg_type *source,
                    const struct iceberg_predicate *p, struct projected *ret)
{
    struct projected out = {.op = p->op, .values = p->values, .n = p->value_count};

    if (f->transform == ICEBERG_VOID || f->transform == ICEBERG_UNKNOWN_TRANSFORM)
        return false;
    if (f->transform == ICEBERG_IDENTITY || p->op == ICEBERG_IS_NULL || p->op == ICEBERG_NOT_NULL) {
        *ret = out;
        return true;
    }
    if (p->op == ICEBERG_NE || (f->transform == ICEBERG_BUCKET && p->op != ICEBERG_EQ && p->op != ICEBERG_IN))
        return false;
    out.n = 0;
    out.values = arena_array(a, struct iceberg_value, p->value_count * 2 + 1);
    for (size_t i = 0; i < p->value_count; i++) {
        struct iceberg_value v = p->values[i], *to = &out.values[out.n];
        if (v.is_null)
            continue;
        if (p->op == ICEBERG_LT || p->op == ICEBERG_GT)
            v = step(source, v, p->op == ICEBERG_LT ? -1 : 1);
        if (iceberg_transform_apply(a, f, source, &v, to, NULL) < 0)
            return false;
        out.n++;
        if (is_time(f->transform) && to->i < 0 && p->op != ICEBERG_GT && p->op != ICEBERG_GE) {
            if (p->op == ICEBERG_EQ || p->op == ICEBERG_IN)
                out.values[out.n++] = *to;
            out.values[out.n - 1].i++;
        }
    }
    out.op = p->op == ICEBERG_LT   ? ICEBERG_LE
             : p->op == ICEBERG_GT ? ICEBERG_GE
             : p->op == ICEBERG_EQ ? ICEBERG_IN
                                   : p->op;
    *ret = out;
    return true;
}

/* ---- the three kinds of ranges ---- */

void iceberg_filter_init(struct iceberg_filter *f, struct arena *a, const struct iceberg_metadata *m,
                         const struct iceberg_predicate *predicates, size_t n)
{
    *f = (struct iceberg_filter){.metadata = m, .predicates = predicates, .n = n};
    f->columns = arena_array(a, const struct iceberg_field *, n);
    for (size_t i = 0; i < n; i++) {
        f->columns[i] = iceberg_find_column(m, predicates[i].field_id);
        if (f->columns[i] && f->columns[i]->type->kind >= ICEBERG_STRUCT)
            f->columns[i] = NULL;
    }
}

static bool summary_may_match(const struct iceberg_filter *f, size_t i, const struct iceberg_partition_field *field,
                              const struct iceberg_summary *s)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct iceberg_type *source = f->columns[i]->type;
    struct projected p;
    struct range r = {.type = iceberg_transform_type(&a, field, source), .may_be_null = s->contains_null};

    if (!project(&a, field, source, &f->predicates[i], &p))
        return true;
    set_bound(&r, false, s->lower);
    set_bound(&r, true, s->upper);
    /* No bound: all values are null, or NaN, which only equality to NaN could want. */
    r.may_be_value = !str_is_null(s->lower) || s->contains_nan != 0;
    return may_match(&r, p.op, p.values, p.n);
}

bool iceberg_manifest_may_match(const struct iceberg_filter *f, const struct iceberg_manifest_file *m)
{
    const struct iceberg_spec *spec = iceberg_find_spec(f->metadata, m->spec_id);

    for (size_t i = 0; spec && i < f->n; i++) {
        if (!f->columns[i])
            continue;
        for (size_t k = 0; k < spec->field_count && k < m->summary_count; k++)
            if (spec->fields[k].source_id == f->predicates[i].field_id &&
                !summary_may_match(f, i, &spec->fields[k], &m->summaries[k]))
                return false;
    }
    return true;
}

static bool partition_may_match(const struct iceberg_filter *f, size_t i, const struct iceberg_partition_field *field,
                                const struct iceberg_value *v)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct iceberg_type *source = f->columns[i]->type;
    struct projected p;
    struct range r = {.type = iceberg_transform_type(&a, field, source),
                      .may_be_null = v->is_null,
                      .may_be_value = !v->is_null,
                      .has_lower = !v->is_null,
                      .has_upper = !v->is_null,
                      .lower = *v,
                      .upper = *v};

    if (!project(&a, field, source, &f->predicates[i], &p))
        return true;
    if (!v->is_null && is_nan(r.type, v))
        return true;
    /* The one value is exact here, which makes <> decidable. */
    if (p.op == ICEBERG_NE && !v->is_null && p.n == 1 && !p.values[0].is_null && !is_nan(r.type, &p.values[0]))
        return iceberg_value_compare(r.type, v, &p.values[0]) != 0;
    return may_match(&r, p.op, p.values, p.n);
}

/* A comparison that NaN never satisfies. */
static bool only_numbers(const struct iceberg_type *t, const struct iceberg_predicate *p)
{
    for (size_t i = 0; i < p->value_count; i++)
        if (is_nan(t, &p->values[i]))
            return false;
    return p->op != ICEBERG_NOT_NULL && p->op != ICEBERG_NE && p->op != ICEBERG_IS_NULL;
}

static bool bounds_may_match(const struct iceberg_filter *f, size_t i, const struct iceberg_entry *e)
{
    const struct iceberg_predicate *p = &f->predicates[i];
    int id = p->field_id;
    int64_t values = iceberg_count_get(&e->value_counts, id);
    int64_t nulls = iceberg_count_get(&e->null_counts, id);
    int64_t nans = iceberg_count_get(&e->nan_counts, id);
    struct range r = {.type = f->columns[i]->type, .may_be_null = nulls != 0};

    r.may_be_value = values < 0 || nulls < 0 || nulls < values;
    if (values >= 0 && nans == values && only_numbers(r.type, p))
        r.may_be_value = false;
    set_bound(&r, false, iceberg_bound_get(&e->lower, id));
    set_bound(&r, true, iceberg_bound_get(&e->upper, id));
    return may_match(&r, p->op, p->values, p->value_count);
}

bool iceberg_file_may_match(const struct iceberg_filter *f, const struct iceberg_spec *spec,
                            const struct iceberg_entry *e)
{
    for (size_t i = 0; i < f->n; i++) {
        if (!f->columns[i])
            continue;
        for (size_t k = 0; k < spec->field_count && k < e->file.partition_count; k++)
            if (spec->fields[k].source_id == f->predicates[i].field_id &&
                !partition_may_match(f, i, &spec->fields[k], &e->file.partition[k]))
                return false;
        if (!bounds_may_match(f, i, e))
            return false;
    }
    return true;
}
