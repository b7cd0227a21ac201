/*
 * Which row of the function table a call is: Trino 476's FunctionBinder and SignatureBinder.
 *
 * Binding a signature is solving for its variables: each argument gives constraints, which are applied again and again
 * until nothing changes. A lambda's body can only be typed once its parameters' types are bound, and its result then
 * binds more; that is why the loop exists.
 */
#include "base/vec.h"
#include "sql/function_signature.h"

enum { MAX_ITERATIONS = 4, MAX_CANDIDATES = 64 };

enum status { SATISFIED, NOT_SATISFIED, CHANGED, UNSOLVABLE };

struct binding {
    const struct type *types[SIGNATURE_MAX_VARIABLES];
    int64_t numbers[SIGNATURE_MAX_NUMBERS];
    bool numbers_bound[SIGNATURE_MAX_NUMBERS];
};

/* What is known of a lambda argument: its type with the parameter types that it was last bound with. */
struct bound_lambda {
    const struct type **parameters;
    size_t n;
    const struct type *result;
};

struct resolver {
    struct arena *a;
    const struct type *const *arguments; /* NULL: a lambda */
    size_t n;
    const struct function_lambda *lambda;
    struct bound_lambda *lambdas; /* n of them */
    struct err *err;
    int failed; /* a lambda's body had an error: an enum err_code */
};

struct candidate {
    const struct signature *signature;
    const struct type **parameters;
    const struct type *result;
};

static enum status worse(enum status a, enum status b)
{
    return a > b ? a : b;
}

static struct sig_type *formal_at(const struct signature *s, size_t i)
{
    return s->arguments[i < s->argument_count ? i : s->argument_count - 1];
}

static bool meets_constraints(const struct sig_variable *v, const struct type *t)
{
    return (!v->is_comparable || type_is_comparable(t)) && (!v->is_orderable || type_is_orderable(t));
}

static enum status solve_variable(struct resolver *r, const struct signature *s, int i, const struct type *actual,
                                  struct binding *b)
{
    if (!b->types[i]) {
        if (!meets_constraints(&s->variables[i], actual))
            return UNSOLVABLE;
        b->types[i] = actual;
        return CHANGED;
    }
    const struct type *super = type_common_super(r->a, b->types[i], actual);
    if (!super || !meets_constraints(&s->variables[i], super))
        return UNSOLVABLE;
    if (type_eq(super, b->types[i]))
        return SATISFIED;
    b->types[i] = super;
    return CHANGED;
}

static void type_numbers(const struct type *t, int ret[2])
{
    ret[0] = t->precision;
    ret[1] = t->scale;
}

/* decimal(p,s), varchar(x), …: the variables are those of the type that the argument becomes. */
static enum status solve_numbers(struct resolver *r, const struct sig_type *formal, const struct type *actual,
                                 struct binding *b)
{
    const struct type *base = NULL;
    int from_base[2] = {0}, from_super[2];
    enum status status = SATISFIED;
    struct type original = {.kind = formal->type};

    for (int i = 0; i < formal->number_count; i++) {
        int v = formal->numbers[i].variable, value = formal->numbers[i].value;

        if (v >= 0 && b->numbers_bound[v]) {
            value = (int)b->numbers[v];
        } else if (v >= 0) {
            if (!base) {
                if (!(base = type_coerce_base(r->a, actual, formal->type)))
                    return UNSOLVABLE;
                type_numbers(base, from_base);
            }
            value = from_base[i];
        }
        *(i == 0 ? &original.precision : &original.scale) = value;
    }
    const struct type *super = type_common_super(r->a, &original, actual);
    if (!super || super->kind != formal->type)
        return UNSOLVABLE;
    type_numbers(super, from_super);
    for (int i = 0; i < formal->number_count; i++) {
        int v = formal->numbers[i].variable;

        if (v < 0) {
            if (from_super[i] != formal->numbers[i].value)
                return UNSOLVABLE;
        } else if (!b->numbers_bound[v] || b->numbers[v] != from_super[i]) {
            b->numbers_bound[v] = true;
            b->numbers[v] = from_super[i];
            status = CHANGED;
        }
    }
    return status;
}

static enum status solve(struct resolver *r, const struct signature *s, const struct sig_type *formal, size_t i,
                         const struct type *actual, struct binding *b);

/* The lambda's parameter types, when they are bound; NULL otherwise. */
static const struct type **lambda_parameters(struct resolver *r, const struct sig_type *formal, const struct binding *b)
{
    size_t n = formal->child_count - 1;
    const struct type **parameters = arena_array(r->a, const struct type *, n + 1);

    for (size_t i = 0; i < n; i++) {
        if (!sig_type_is_bound(formal->children[i], b->types, b->numbers_bound))
            return NULL;
        parameters[i] = sig_type_apply(r->a, formal->children[i], b->types, b->numbers);
    }
    return parameters;
}

static bool same_types(const struct type *const *x, const struct type *const *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!type_eq(x[i], y[i]))
            return false;
    return true;
}

static enum status solve_lambda(struct resolver *r, const struct signature *s, const struct sig_type *formal, size_t i,
                                const struct type *actual, struct binding *b)
{
    const struct sig_type *formal_result = formal->children[formal->child_count - 1];
    size_t n = formal->child_count - 1;
    const struct type **parameters = lambda_parameters(r, formal, b);
    const struct type *result;

    if (!parameters)
        return NOT_SATISFIED;
    if (actual) { /* a function type that another signature has bound */
        if (actual->kind != TYPE_FUNCTION || actual->field_count != n + 1)
            return UNSOLVABLE;
        for (size_t k = 0; k < n; k++)
            if (!type_eq(parameters[k], actual->fields[k].type))
                return UNSOLVABLE;
        result = actual->fields[n].type;
    } else {
        struct bound_lambda *known = &r->lambdas[i];

        if (!known->parameters || known->n != n || !same_types(known->parameters, parameters, n)) {
            int code = r->lambda->bind(r->lambda->ctx, i, parameters, n, &result, r->err);
            if (code < 0) {
                r->failed = code;
                return UNSOLVABLE;
            }
            *known = (struct bound_lambda){.parameters = parameters, .n = n, .result = result};
        }
        result = known->result;
    }
    enum status status = solve(r, s, formal_result, i, result, b);
    if (status == UNSOLVABLE)
        return UNSOLVABLE;
    /* a lambda's result is not coerced */
    if (!sig_type_is_bound(formal_result, b->types, b->numbers_bound) ||
        !type_eq(sig_type_apply(r->a, formal_result, b->types, b->numbers), result))
        status = worse(status, NOT_SATISFIED);
    return status;
}

/* What argument `i` of type `actual` says about the variables of `formal`. */
static enum status solve(struct resolver *r, const struct signature *s, const struct sig_type *formal, size_t i,
                         const struct type *actual, struct binding *b)
{
    enum status status = SATISFIED;

    if (formal->kind == SIG_TYPE && formal->type == TYPE_FUNCTION)
        return solve_lambda(r, s, formal, i, actual, b);
    if (!actual)
        return UNSOLVABLE;
    if (formal->kind == SIG_VARIABLE)
        return solve_variable(r, s, formal->variable, actual, b);
    if (formal->fixed || formal->kind == SIG_PATTERN)
        return SATISFIED;
    if (formal->number_count > 0)
        return solve_numbers(r, formal, actual, b);
    for (size_t k = 0; k < formal->child_count; k++) {
        const struct type *child = &type_unknown;

        if (actual->kind != TYPE_UNKNOWN) {
            if (actual->kind != formal->type ||
                (formal->type == TYPE_ROW && actual->field_count != formal->child_count))
                return UNSOLVABLE;
            child = formal->type == TYPE_ROW             ? actual->fields[k].type
                    : formal->type == TYPE_MAP && k == 0 ? actual->key
                                                         : actual->element;
        }
        status = worse(status, solve(r, s, formal->children[k], i, child, b));
        if (status == UNSOLVABLE)
            return status;
    }
    return status;
}

static bool becomes_pattern(const struct type *t)
{
    return t->kind == TYPE_VARCHAR || t->kind == TYPE_UNKNOWN;
}

/* Is the argument the formal type (or, with coercion, does it become it), as far as the variables are bound? */
static enum status relate(struct resolver *r, const struct sig_type *formal, const struct type *actual, bool coercion,
                          const struct binding *b)
{
    if (!actual || (formal->kind == SIG_TYPE && formal->type == TYPE_FUNCTION))
        return formal->kind == SIG_TYPE && formal->type == TYPE_FUNCTION ? SATISFIED : UNSOLVABLE;
    if (formal->kind == SIG_PATTERN)
        return coercion && becomes_pattern(actual) ? SATISFIED : UNSOLVABLE;
    if (!sig_type_is_bound(formal, b->types, b->numbers_bound))
        return NOT_SATISFIED;
    const struct type *want = sig_type_apply(r->a, formal, b->types, b->numbers);
    if (coercion ? type_can_coerce(actual, want) : type_eq(actual, want))
        return SATISFIED;
    return formal->fixed ? UNSOLVABLE : NOT_SATISFIED;
}

static bool solve_all(struct resolver *r, const struct signature *s, const struct type *const *arguments, size_t n,
                      bool coercion, struct binding *b)
{
    for (int round = 0; round < MAX_ITERATIONS; round++) {
        enum status status = SATISFIED;

        for (size_t i = 0; i < n && status != UNSOLVABLE; i++)
            status = worse(status, relate(r, formal_at(s, i), arguments[i], coercion, b));
        for (size_t i = 0; i < n && status != UNSOLVABLE; i++)
            status = worse(status, solve(r, s, formal_at(s, i), i, arguments[i], b));
        if (status != CHANGED)
            return status == SATISFIED;
    }
    r->failed = err_set_named(r->err, ERR_INTERNAL, "GENERIC_INTERNAL_ERROR",
                              "SignatureBinder.iterativeSolve does not converge after %d iterations.", MAX_ITERATIONS);
    return false;
}

/* Arguments of `s` for these types; false: it doesn't match. `ret` may be NULL when only that is asked. */
static bool bind_signature(struct resolver *r, const struct signature *s, const struct type *const *arguments, size_t n,
                           bool coercion, struct candidate *ret)
{
    struct binding b = {0};

    if (s->is_variadic ? n + 1 < s->argument_count : n != s->argument_count)
        return false;
    if (!solve_all(r, s, arguments, n, coercion, &b))
        return false;
    for (int i = 0; i < s->variable_count; i++)
        if (!b.types[i])
            return false;
    if (!ret)
        return true;
    for (int i = s->bound_count; i < s->number_count; i++) {
        b.numbers[i] = signature_calculate(s, s->calculations[i - s->bound_count], b.numbers);
        b.numbers_bound[i] = true;
    }
    ret->signature = s;
    ret->parameters = arena_array(r->a, const struct type *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct sig_type *formal = formal_at(s, i);

        if (formal->kind == SIG_PATTERN) {
            ret->parameters[i] = arguments[i]->kind == TYPE_UNKNOWN ? &type_varchar : arguments[i];
        } else {
            ret->parameters[i] = sig_type_apply(r->a, formal, b.types, b.numbers);
            /* time zones are no part of a type's identity: keep the argument's where it is passed as it is */
            if (arguments[i] && type_eq(ret->parameters[i], arguments[i]))
                ret->parameters[i] = arguments[i];
        }
    }
    ret->result = sig_type_apply(r->a, s->result, b.types, b.numbers);
    return true;
}

/* ---- which of several ---- */

static bool is_more_specific(struct resolver *r, const struct candidate *x, const struct candidate *than)
{
    return bind_signature(r, than->signature, x->parameters, r->n, true, NULL);
}

static size_t keep_most_specific(struct resolver *r, struct candidate *items, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        bool found = false;

        for (size_t k = 0; k < kept && !found; k++) {
            if (is_more_specific(r, &items[i], &items[k])) {
                items[k] = items[i];
                found = true;
            } else {
                found = is_more_specific(r, &items[k], &items[i]);
            }
        }
        if (!found)
            items[kept++] = items[i];
    }
    return kept;
}

static bool only_casts_unknown(const struct resolver *r, const struct candidate *c)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->arguments[i]->kind != TYPE_UNKNOWN &&
            (formal_at(c->signature, i)->kind == SIG_PATTERN || !type_eq(r->arguments[i], c->parameters[i])))
            return false;
    return true;
}

/* All give the same type and null for a null argument: it makes no difference which is called. */
static bool all_give_the_same_null(const struct resolver *r, const struct candidate *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct function *f = items[i].signature->function;

        if (!type_eq(items[i].result, items[0].result) || (f->kind == FUNCTION_SCALAR && f->is_nullable))
            return false;
    }
    return r->n > 0;
}

static void format_candidate(struct buf *to, const struct candidate *c, size_t n)
{
    buf_add_char(to, '(');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(to, ',');
        type_format_signature(to, c->parameters[i]);
    }
    buf_add_cstr(to, "):");
    type_format_signature(to, c->result);
}

static size_t select_candidates(struct resolver *r, struct candidate *items, size_t n)
{
    struct candidate all[MAX_CANDIDATES];
    size_t all_n = n;
    bool some_unknown = false;

    memcpy(all, items, n * sizeof(*all));
    n = keep_most_specific(r, items, n);
    if (n <= 1)
        return n;
    for (size_t i = 0; i < r->n; i++) {
        if (!r->arguments[i])
            return n;
        some_unknown = some_unknown || r->arguments[i]->kind == TYPE_UNKNOWN;
    }
    if (!some_unknown)
        return n;
    size_t casting = 0;
    for (size_t i = 0; i < all_n; i++)
        if (only_casts_unknown(r, &all[i]))
            all[casting++] = all[i];
    if (casting > 0) {
        memcpy(items, all, casting * sizeof(*items));
        n = casting;
    }
    if (n > 1 && all_give_the_same_null(r, items, n)) {
        /* any of them, but always the same: the last by name, as Trino takes it */
        struct buf BUF_SCOPED best = {0}, other = {0};
        size_t chosen = 0;

        buf_init(&best, 1 << 16);
        buf_init(&other, 1 << 16);
        format_candidate(&best, &items[0], r->n);
        for (size_t i = 1; i < n; i++) {
            buf_reset(&other);
            format_candidate(&other, &items[i], r->n);
            if (str_cmp(buf_str(&other), buf_str(&best)) > 0) {
                buf_reset(&best);
                buf_add_str(&best, buf_str(&other));
                chosen = i;
            }
        }
        items[0] = items[chosen];
        n = 1;
    }
    return n;
}

/* ---- errors ---- */

static int fail_ambiguous(struct resolver *r, const struct candidate *items, size_t n)
{
    struct buf BUF_SCOPED b = {0};

    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < n; i++) {
        buf_add_cstr(&b, "\t * ");
        format_candidate(&b, &items[i], r->n);
        buf_add_char(&b, '\n');
    }
    return err_set_named(r->err, ERR_INVALID, "AMBIGUOUS_FUNCTION_CALL",
                         "Could not choose a best candidate operator. Explicit type casts must be added.\n"
                         "Candidates are:\n%.*s",
                         STR_ARG(buf_str(&b)));
}

static int compare_text(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* "abs(bigint), abs(decimal(p,s)), …, concat(E, array(E)) E", sorted as texts. */
static void format_expected(struct resolver *r, struct buf *to, const struct signature *s, size_t n)
{
    struct str *texts = arena_array(r->a, struct str, n);

    for (size_t i = 0; i < n; i++) {
        const struct function *f = s[i].function;
        struct str arguments = str_from_cstr(f->arguments), constraints = STR_NULL;
        struct str rest = str_from_cstr(f->variables ? f->variables : "");

        (void)str_split(&rest, ';', &constraints);
        constraints = str_trim(constraints);
        if (str_ends_with(arguments, STR("...")))
            arguments.n -= 3;
        texts[i] = arena_printf(r->a, "%s(%.*s)%s%.*s", f->name, STR_ARG(arguments), constraints.n ? " " : "",
                                STR_ARG(constraints));
    }
    qsort(texts, n, sizeof(*texts), compare_text);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_cstr(to, ", ");
        buf_add_str(to, texts[i]);
    }
}

static int fail_not_found(struct resolver *r, struct str name, const struct signature *s, size_t n)
{
    struct buf BUF_SCOPED actual = {0}, expected = {0};

    buf_init(&actual, 1 << 16);
    buf_init(&expected, 1 << 16);
    for (size_t i = 0; i < r->n; i++) {
        if (i > 0)
            buf_add_cstr(&actual, ", ");
        if (r->arguments[i])
            type_format_signature(&actual, r->arguments[i]);
        else
            buf_add_cstr(&actual, "<function>");
    }
    format_expected(r, &expected, s, n);
    return err_set_named(r->err, ERR_INVALID, "FUNCTION_NOT_FOUND",
                         "Unexpected parameters (%.*s) for function %.*s. Expected: %.*s", STR_ARG(buf_str(&actual)),
                         STR_ARG(name), STR_ARG(buf_str(&expected)));
}

/* Functions of Trino's whose types (sketches, colours, nanoseconds) are not there yet. */
static bool is_known_elsewhere(struct str name)
{
    static const char *const names[] = {
        "approx_set",
        "bar",
        "color",
        "empty_approx_set",
        "from_iso8601_timestamp_nanos",
        "from_unixtime_nanos",
        "hash_counts",
        "intersection_cardinality",
        "jaccard_index",
        "make_set_digest",
        "merge",
        "merge_set_digest",
        "qdigest_agg",
        "quantile_at_value",
        "render",
        "rgb",
        "tdigest_agg",
        "value_at_quantile",
        "values_at_quantiles",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_cstr(name, names[i]))
            return true;
    return false;
}

/* ---- resolution ---- */

enum which { WITHOUT_VARIABLES, WITH_VARIABLES, ALL };

/* *ret_n candidates match. */
static int match(struct resolver *r, const struct signature *s, size_t n, enum which which, bool coercion,
                 struct candidate ret[MAX_CANDIDATES], size_t *ret_n)
{
    size_t found = 0;

    for (size_t i = 0; i < n && found < MAX_CANDIDATES; i++) {
        if (which != ALL && (which == WITH_VARIABLES) != (s[i].variable_count > 0))
            continue;
        if (bind_signature(r, &s[i], r->arguments, r->n, coercion, &ret[found]))
            found++;
        if (r->failed < 0)
            return r->failed;
    }
    if (coercion && found > 0)
        found = select_candidates(r, ret, found);
    if (r->failed < 0)
        return r->failed;
    if (found > 1)
        return fail_ambiguous(r, ret, found);
    *ret_n = found;
    return 0;
}

int function_resolve(struct arena *a, struct str name, const struct type *const *arguments, size_t n,
                     const struct function_lambda *lambda, struct function_match *ret, struct err *err)
{
    static const struct {
        enum which which;
        bool coercion;
    } phases[] = {{WITHOUT_VARIABLES, false}, {WITH_VARIABLES, false}, {ALL, true}};
    struct resolver r = {.a = a, .arguments = arguments, .n = n, .lambda = lambda, .err = err};
    struct candidate candidates[MAX_CANDIDATES];
    size_t signature_count, found = 0;
    const struct signature *s = signatures_of(name, &signature_count);
    int code;

    if (!s && is_known_elsewhere(name))
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "The function %.*s is not supported",
                             STR_ARG(name));
    if (!s)
        return err_set_named(err, ERR_INVALID, "FUNCTION_NOT_FOUND", "Function '%.*s' not registered", STR_ARG(name));
    r.lambdas = arena_array(a, struct bound_lambda, n);
    for (size_t i = 0; i < ARRAY_LEN(phases) && found == 0; i++)
        if ((code = match(&r, s, signature_count, phases[i].which, phases[i].coercion, candidates, &found)) < 0)
            return code;
    if (found == 0)
        return fail_not_found(&r, name, s, signature_count);
    *ret = (struct function_match){.function = candidates[0].signature->function,
                                   .parameters = candidates[0].parameters,
                                   .result = candidates[0].result};
    return 0;
}
