/* Access control: the rules' JSON with its patterns, asked about a user whose name the input ends with; a groups file. */
#include "fuzz.h"

#include "access/groups.h"
#include "access/rules.h"

static void ask(struct access_control *c, struct str user)
{
    const struct access_table t = {STR("c"), STR("s"), STR("t")};
    const struct str column = STR("x");
    const struct access_identity who = {.user = user, .principal = user, .groups = &user, .group_count = 1};
    struct access_expression e;
    struct access *a;

    if (access_open(c, &who, &a, NULL) < 0)
        __builtin_trap();
    (void)!access_check_impersonate(a, STR("root"), NULL);
    (void)!access_check_set_user(a, STR("root"), NULL);
    (void)!access_check_select(a, &t, &column, 1, NULL);
    (void)!access_check_view_query(a, STR("root"), NULL);
    (void)access_sees_column(a, t.catalog, t.schema, t.name, column);
    (void)access_row_filter(a, &t, &e);
    access_release(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size};
    size_t end = str_rfind_char(all, '\n');
    struct str text = str_slice(all, 0, end), user = end == SIZE_MAX ? STR("u") : str_skip(all, end + 1);
    const struct access_control_options o = {.rules = text};
    struct access_control *c;
    struct groups *g;
    struct err err = {0};

    if (!text.p)
        return 0;
    if (access_control_new(&o, &c, &err) == 0) {
        ask(c, user);
        access_control_free(c);
    } else if (err.message[0] == '\0') {
        __builtin_trap();
    }
    if (groups_parse(text, &g, &err) == 0) {
        const struct str *names;
        (void)groups_of(g, user, &names);
        groups_unref(g);
    }
    return 0;
}
