/*
 * Signatures: the function table's texts parsed, once, into trees that resolution can match.
 *
 * The texts are the program's own, so a mistake in one is a bug: it aborts with the row's name, and the unit test that
 * looks every function up finds it. Their grammar is that of type names plus variables, "T..." and "function(T,R)".
 */
#include "base/map.h"
#include "base/vec.h"
#include "sql/function_signature.h"
#include <ctype.h>
#include <pthread.h>

struct sig_parser {
    struct arena *a;
    struct signature *s;
    struct str text;
    size_t at;
};

static _Noreturn void die(const struct sig_parser *p, const char *what)
{
    fprintf(stderr, "function table: %s: %s in \"%.*s\" at %zu\n", p->s->function->name, what, STR_ARG(p->text), p->at);
    abort();
}

static void skip_spaces(struct sig_parser *p)
{
    while (p->at < p->text.n && p->text.p[p->at] == ' ')
        p->at++;
}

static bool take(struct sig_parser *p, const char *token)
{
    skip_spaces(p);
    if (!str_starts_with(str_skip(p->text, p->at), str_from_cstr(token)))
        return false;
    p->at += strlen(token);
    return true;
}

static void expect(struct sig_parser *p, const char *token)
{
    if (!take(p, token))
        die(p, token);
}

static struct str take_word(struct sig_parser *p)
{
    skip_spaces(p);
    size_t from = p->at;
    while (p->at < p->text.n && (isalnum((unsigned char)p->text.p[p->at]) || p->text.p[p->at] == '_'))
        p->at++;
    if (p->at == from)
        die(p, "a word was expected");
    return str_slice(p->text, from, p->at - from);
}

static int find_variable(const struct signature *s, struct str name)
{
    for (int i = 0; i < s->variable_count; i++)
        if (str_eq_nocase(s->variables[i].name, name))
            return i;
    return -1;
}

static int find_number(const struct signature *s, struct str name)
{
    for (int i = 0; i < s->number_count; i++)
        if (str_eq(s->numbers[i], name))
            return i;
    return -1;
}

static int add_number(struct sig_parser *p, struct str name)
{
    if (p->s->number_count == SIGNATURE_MAX_NUMBERS)
        die(p, "too many numbers");
    p->s->numbers[p->s->number_count] = name;
    return p->s->number_count++;
}

static struct sig_number parse_number(struct sig_parser *p)
{
    struct str word = take_word(p);
    int64_t value;

    if (str_to_i64(word, &value, NULL) == 0)
        return (struct sig_number){.variable = -1, .value = (int)value};
    int i = find_number(p->s, word);
    return (struct sig_number){.variable = i >= 0 ? i : add_number(p, word)};
}

static struct sig_type *parse_type(struct sig_parser *p);

static void parse_children(struct sig_parser *p, struct sig_type *t)
{
    struct {
        struct sig_type **items;
        size_t n, cap;
    } children = {0};

    expect(p, "(");
    do {
        vec_push_in(p->a, &children, parse_type(p));
    } while (take(p, ","));
    expect(p, ")");
    t->children = children.items;
    t->child_count = children.n;
}

static bool is_fixed(const struct sig_type *t)
{
    if (t->kind != SIG_TYPE || t->type == TYPE_FUNCTION)
        return false;
    for (int i = 0; i < t->number_count; i++)
        if (t->numbers[i].variable >= 0)
            return false;
    for (size_t i = 0; i < t->child_count; i++)
        if (!is_fixed(t->children[i]))
            return false;
    return true;
}

static void parse_named_type(struct sig_parser *p, struct sig_type *t, struct str word)
{
    static const struct {
        const char *name;
        enum type_kind kind;
        enum { PLAIN, NUMBERS, CHILDREN } parameters;
    } names[] = {
        {"unknown", TYPE_UNKNOWN, PLAIN},
        {"boolean", TYPE_BOOLEAN, PLAIN},
        {"tinyint", TYPE_TINYINT, PLAIN},
        {"smallint", TYPE_SMALLINT, PLAIN},
        {"integer", TYPE_INTEGER, PLAIN},
        {"bigint", TYPE_BIGINT, PLAIN},
        {"real", TYPE_REAL, PLAIN},
        {"double", TYPE_DOUBLE, PLAIN},
        {"decimal", TYPE_DECIMAL, NUMBERS},
        {"varchar", TYPE_VARCHAR, NUMBERS},
        {"char", TYPE_CHAR, NUMBERS},
        {"varbinary", TYPE_VARBINARY, PLAIN},
        {"json", TYPE_JSON, PLAIN},
        {"uuid", TYPE_UUID, PLAIN},
        {"date", TYPE_DATE, PLAIN},
        {"time", TYPE_TIME, NUMBERS},
        {"timestamp", TYPE_TIMESTAMP, NUMBERS},
        {"array", TYPE_ARRAY, CHILDREN},
        {"map", TYPE_MAP, CHILDREN},
        {"row", TYPE_ROW, CHILDREN},
        {"function", TYPE_FUNCTION, CHILDREN},
    };

    if (str_eq(word, STR("interval"))) {
        t->type = take(p, "year to month") ? TYPE_INTERVAL_YEAR_MONTH : TYPE_INTERVAL_DAY_SECOND;
        if (t->type == TYPE_INTERVAL_DAY_SECOND)
            expect(p, "day to second");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_eq_cstr(word, names[i].name))
            continue;
        t->type = names[i].kind;
        if (names[i].parameters == CHILDREN) {
            parse_children(p, t);
        } else if (names[i].parameters == NUMBERS) {
            if (take(p, "(")) {
                do {
                    t->numbers[t->number_count++] = parse_number(p);
                } while (t->number_count < 2 && take(p, ","));
                expect(p, ")");
            } else { /* only varchar stands without its length */
                t->numbers[t->number_count++] = (struct sig_number){.variable = -1, .value = TYPE_UNBOUNDED};
            }
            if (take(p, "with time zone"))
                t->type = t->type == TYPE_TIME ? TYPE_TIME_TZ : TYPE_TIMESTAMP_TZ;
        }
        return;
    }
    die(p, "no such type");
}

static struct sig_type *parse_type(struct sig_parser *p)
{
    struct sig_type *t = arena_new(p->a, struct sig_type);
    struct str word = take_word(p);
    int variable = find_variable(p->s, word);

    if (variable >= 0) {
        t->kind = SIG_VARIABLE;
        t->variable = variable;
        return t;
    }
    if (str_eq(word, STR("joniregexp")) || str_eq(word, STR("jsonpath")) || str_eq(word, STR("codepoints"))) {
        t->kind = SIG_PATTERN;
        return t;
    }
    t->kind = SIG_TYPE;
    parse_named_type(p, t, word);
    if (is_fixed(t))
        t->fixed = sig_type_apply(p->a, t, NULL, NULL);
    return t;
}

/* "E, T:comparable; u = min(65536, x + y), v = 0": the types now, the calculations once the arguments have bound theirs. */
static void parse_variables(struct sig_parser *p, struct str types)
{
    p->text = types;
    p->at = 0;
    if (str_is_empty(str_trim(types)))
        return;
    do {
        if (p->s->variable_count == SIGNATURE_MAX_VARIABLES)
            die(p, "too many variables");
        struct sig_variable *v = &p->s->variables[p->s->variable_count++];
        v->name = take_word(p);
        if (take(p, ":comparable"))
            v->is_comparable = true;
        else if (take(p, ":orderable"))
            v->is_comparable = v->is_orderable = true;
    } while (take(p, ","));
}

static void parse_calculations(struct sig_parser *p, struct str text)
{
    p->text = text;
    p->at = 0;
    p->s->bound_count = p->s->number_count;
    if (str_is_empty(str_trim(text)))
        return;
    do {
        int i = add_number(p, take_word(p));
        expect(p, "=");
        size_t from = p->at;
        for (int depth = 0; p->at < text.n && (depth > 0 || text.p[p->at] != ','); p->at++)
            depth += text.p[p->at] == '(' ? 1 : text.p[p->at] == ')' ? -1 : 0;
        p->s->calculations[i - p->s->bound_count] = str_slice(text, from, p->at - from);
    } while (take(p, ","));
}

static void parse_signature(struct arena *a, const struct function *f, struct signature *s)
{
    struct sig_parser p = {.a = a, .s = s};
    struct {
        struct sig_type **items;
        size_t n, cap;
    } arguments = {0};
    struct str rest = str_from_cstr(f->variables ? f->variables : ""), types = STR_NULL;

    s->function = f;
    (void)str_split(&rest, ';', &types);
    parse_variables(&p, types);
    p.text = str_from_cstr(f->arguments);
    p.at = 0;
    if (p.text.n > 0) {
        do {
            vec_push_in(a, &arguments, parse_type(&p));
        } while (take(&p, ","));
        s->is_variadic = take(&p, "...");
        if (p.at != p.text.n)
            die(&p, "the end was expected");
    }
    s->arguments = arguments.items;
    s->argument_count = arguments.n;
    parse_calculations(&p, rest);
    p.text = str_from_cstr(f->result);
    p.at = 0;
    s->result = parse_type(&p);
}

/* ---- the index ---- */

struct signature_group {
    const struct signature *first;
    size_t n;
};

static struct arena index_arena;
static struct map index_by_name; /* name → struct signature_group * */
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

static void make_index(void)
{
    struct signature *all = arena_array(&index_arena, struct signature, function_count);

    for (size_t i = 0; i < function_count; i++) {
        struct str name = str_from_cstr(functions[i].name);
        struct signature_group *group = map_get(&index_by_name, name);

        parse_signature(&index_arena, &functions[i], &all[i]);
        if (!group) {
            group = arena_new(&index_arena, struct signature_group);
            group->first = &all[i];
            (void)map_set(&index_by_name, name, group);
        } else if (strcmp(functions[i - 1].name, functions[i].name) != 0) {
            fprintf(stderr, "function table: rows of %s don't stand together\n", functions[i].name);
            abort();
        }
        group->n++;
    }
}

const struct signature *signatures_of(struct str name, size_t *ret_n)
{
    (void)pthread_once(&index_once, make_index);
    const struct signature_group *group = map_get(&index_by_name, name);

    *ret_n = group ? group->n : 0;
    return group ? group->first : NULL;
}

bool function_exists(struct str name)
{
    size_t n;

    return signatures_of(name, &n) != NULL;
}

const struct function *function_find(struct str name)
{
    size_t n;
    const struct signature *s = signatures_of(name, &n);

    return s ? s->function : NULL;
}

bool function_is_aggregate(struct str name)
{
    const struct function *f = function_find(name);

    return f && f->kind == FUNCTION_AGGREGATE;
}

bool function_is_window(struct str name)
{
    const struct function *f = function_find(name);

    return f && f->kind == FUNCTION_WINDOW;
}

/* ---- calculated numbers ---- */

struct calculator {
    struct sig_parser p;
    const int64_t *values;
};

static int64_t calculate_sum(struct calculator *c);

static int64_t calculate_factor(struct calculator *c)
{
    if (take(&c->p, "(")) {
        int64_t v = calculate_sum(c);
        expect(&c->p, ")");
        return v;
    }
    struct str word = take_word(&c->p);
    int64_t v;
    if (str_to_i64(word, &v, NULL) == 0)
        return v;
    if (str_eq(word, STR("min")) || str_eq(word, STR("max"))) {
        bool least = word.p[1] == 'i';
        expect(&c->p, "(");
        v = calculate_sum(c);
        while (take(&c->p, ",")) {
            int64_t other = calculate_sum(c);
            if (least ? other < v : other > v)
                v = other;
        }
        expect(&c->p, ")");
        return v;
    }
    int i = find_number(c->p.s, word);
    if (i < 0)
        die(&c->p, "no such number");
    return c->values[i];
}

static int64_t calculate_product(struct calculator *c)
{
    int64_t v = calculate_factor(c);

    for (;;) {
        if (take(&c->p, "*")) {
            int64_t other = calculate_factor(c), product;
            /* the lengths of unbounded varchars overflow; every rule that multiplies caps its result */
            v = __builtin_mul_overflow(v, other, &product) ? INT64_MAX / 4 : product;
        } else if (take(&c->p, "/")) {
            v /= calculate_factor(c);
        } else {
            return v;
        }
    }
}

static int64_t calculate_sum(struct calculator *c)
{
    int64_t v = calculate_product(c);

    for (;;) {
        if (take(&c->p, "+"))
            v += calculate_product(c);
        else if (take(&c->p, "-"))
            v -= calculate_product(c);
        else
            return v;
    }
}

int64_t signature_calculate(const struct signature *s, struct str expression, const int64_t *values)
{
    struct calculator c = {.p = {.s = (struct signature *)s, .text = expression}, .values = values};

    return calculate_sum(&c);
}

/* ---- applying what was bound ---- */

bool sig_type_is_bound(const struct sig_type *t, const struct type *const *types, const bool *numbers_bound)
{
    if (t->fixed || t->kind == SIG_PATTERN)
        return true;
    if (t->kind == SIG_VARIABLE)
        return types[t->variable] != NULL;
    for (int i = 0; i < t->number_count; i++)
        if (t->numbers[i].variable >= 0 && !numbers_bound[t->numbers[i].variable])
            return false;
    for (size_t i = 0; i < t->child_count; i++)
        if (!sig_type_is_bound(t->children[i], types, numbers_bound))
            return false;
    return true;
}

static int number_value(struct sig_number n, const int64_t *numbers)
{
    int64_t v = n.variable < 0 ? n.value : numbers[n.variable];

    return v > TYPE_UNBOUNDED ? TYPE_UNBOUNDED : v < 0 ? 0 : (int)v;
}

const struct type *sig_type_apply(struct arena *a, const struct sig_type *t, const struct type *const *types,
                                  const int64_t *numbers)
{
    if (t->fixed)
        return t->fixed;
    if (t->kind == SIG_PATTERN)
        return &type_varchar;
    if (t->kind == SIG_VARIABLE)
        return types[t->variable];
    switch (t->type) {
    case TYPE_ARRAY:
        return type_array(a, sig_type_apply(a, t->children[0], types, numbers));
    case TYPE_MAP:
        return type_map(a, sig_type_apply(a, t->children[0], types, numbers),
                        sig_type_apply(a, t->children[1], types, numbers));
    case TYPE_ROW:
    case TYPE_FUNCTION: {
        struct type_field *fields = arena_array(a, struct type_field, t->child_count);
        for (size_t i = 0; i < t->child_count; i++)
            fields[i] = (struct type_field){.type = sig_type_apply(a, t->children[i], types, numbers)};
        struct type *row = arena_new(a, struct type);
        *row = (struct type){.kind = t->type, .fields = fields, .field_count = t->child_count};
        return row;
    }
    default:
        break;
    }
    struct type *made = arena_new(a, struct type);
    made->kind = t->type;
    if (t->number_count > 0)
        made->precision = number_value(t->numbers[0], numbers);
    if (t->number_count > 1)
        made->scale = number_value(t->numbers[1], numbers);
    return made;
}
