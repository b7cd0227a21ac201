/*
 * The declarative user profile. Validators that we know: length, email, options, pattern, integer, double, the ones against
 * characters in names; others are kept in the configuration and have no effect, as providers that aren't installed.
 */
#include "identity/profile.h"
#include "identity/model/internal.h"

#include <regex.h>

static const char component_type[] = "org.keycloak.userprofile.UserProfileProvider";
static const char component_id[] = "declarative-user-profile";
enum { CONFIG_MAX = 256 << 10, ATTRIBUTES_MAX = 200 };

static const char default_config[] =
    "{\"attributes\":[{\"name\":\"username\",\"displayName\":\"${username}\",\"validations\":{\"length\":{\"min\":3,"
    "\"max\":255},"
    "\"username-prohibited-characters\":{},\"up-username-not-idn-homograph\":{}},\"permissions\":{\"view\":[\"admin\","
    "\"user\"],\"edit\":[\"admin\",\"user\"]},\"multivalued\":false},{\"name\":\"email\",\"displayName\":\"${email}\","
    "\"validations\":{\"email\":{},\"length\":{\"max\":255}},\"required\":{\"roles\":[\"user\"]},\"permissions\":{"
    "\"view\":["
    "\"admin\",\"user\"],\"edit\":[\"admin\",\"user\"]},\"multivalued\":false},{\"name\":\"firstName\",\"displayName\":"
    "\"${firstName}\",\"validations\":{\"length\":{\"max\":255},\"person-name-prohibited-characters\":{}},\"required\":"
    "{"
    "\"roles\":[\"user\"]},\"permissions\":{\"view\":[\"admin\",\"user\"],\"edit\":[\"admin\",\"user\"]},"
    "\"multivalued\":false},{"
    "\"name\":\"lastName\",\"displayName\":\"${lastName}\",\"validations\":{\"length\":{\"max\":255},"
    "\"person-name-prohibited-characters\":{}},\"required\":{\"roles\":[\"user\"]},\"permissions\":{\"view\":["
    "\"admin\","
    "\"user\"],\"edit\":[\"admin\",\"user\"]},\"multivalued\":false}],\"groups\":[{\"name\":\"user-metadata\","
    "\"displayHeader\":\"User metadata\",\"displayDescription\":\"Attributes, which refer to user metadata\"}]}";

static const json_t *find_component(json_t *const *docs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_cstr(json_opt_str(docs[i], "providerType", STR("")), component_type))
            return docs[i];
    return NULL;
}

json_t *profile_config(const struct realm *r)
{
    size_t n;
    json_t *const *docs = realm_docs(r, KIND_COMPONENT, &n);
    const json_t *component = find_component(docs, n);
    struct str text = json_first(json_object_get(component, "config"), "kc.user.profile.config");
    json_t *config = NULL;

    if (!str_is_null(text) && json_parse(text, &config, NULL) == 0)
        return config;
    if (json_parse(str_from_cstr(default_config), &config, NULL) < 0)
        abort();
    return config;
}

static const json_t *find_attribute(const json_t *config, const char *name)
{
    const json_t *list = json_object_get(config, "attributes");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq_cstr(json_opt_str(json_array_get(list, i), "name", STR("")), name))
            return json_array_get(list, i);
    return NULL;
}

static int check_config(const json_t *config, struct err *err)
{
    const json_t *list = json_object_get(config, "attributes");

    if (!json_is_array(list) || json_array_size(list) > ATTRIBUTES_MAX)
        return err_set(err, ERR_INVALID, "a user profile should have 'attributes', an array of at most %d",
                       ATTRIBUTES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct str name = json_opt_str(one, "name", STR(""));
        if (name.n == 0 || name.n > 255)
            return err_set(err, ERR_INVALID, "[Attribute configuration without 'name' is not allowed]");
        for (size_t k = 0; k < i; k++)
            if (str_eq(json_opt_str(json_array_get(list, k), "name", STR("")), name))
                return err_set(err, ERR_INVALID, "[Attribute configuration already exists with 'name': '%.*s']",
                               STR_ARG(name));
    }
    if (!find_attribute(config, "username"))
        return err_set(err, ERR_INVALID, "[The attribute 'username' can not be removed]");
    if (!find_attribute(config, "email"))
        return err_set(err, ERR_INVALID, "[The attribute 'email' can not be removed]");
    return 0;
}

int profile_set(struct realm_draft *d, const json_t *config, struct err *err)
{
    json_t **docs;
    size_t n = draft_list(d, KIND_COMPONENT, &docs);
    const json_t *old = find_component(docs, n);
    struct arena *a = realm_draft_arena(d);
    int rc;

    if (json_object_size(config) == 0)
        return old ? draft_delete(d, KIND_COMPONENT, json_opt_str(old, "id", STR("")), err) : 0;
    rc = check_config(config, err);
    if (rc < 0)
        return rc;
    struct str text = json_text(a, config);
    if (text.n > CONFIG_MAX)
        return err_set(err, ERR_INVALID, "a user profile has at most %d bytes", CONFIG_MAX);
    json_t *doc = old ? json_copy((json_t *)old) : json_object(), *settings = json_object();
    if (!old) {
        json_new_id(doc);
        json_object_set_new(doc, "name", json_string(component_id));
        json_object_set_new(doc, "providerId", json_string(component_id));
        json_object_set_new(doc, "providerType", json_string(component_type));
        json_put_str(doc, "parentId", draft_realm_id(d));
    }
    json_put_first(settings, "kc.user.profile.config", text);
    json_object_set_new(doc, "config", settings);
    draft_put(d, KIND_COMPONENT, doc);
    return 0;
}

static bool allows(const json_t *attribute, const char *what, const char *who)
{
    const json_t *permissions = json_object_get(attribute, "permissions");
    const json_t *list = json_object_get(permissions, what);

    /* Who may edit may see; without permissions only administrators do either. */
    if (json_array_has(list, str_from_cstr(who)))
        return true;
    return strcmp(who, "admin") == 0 && !permissions;
}

json_t *profile_metadata(const struct realm *r)
{
    JSON_SCOPED json_t *config = profile_config(r);
    const json_t *list = json_object_get(config, "attributes");
    json_t *attributes = json_array(), *groups = json_object_get(config, "groups");
    static const char *const copied[] = {"name", "displayName"}, *const after[] = {"annotations", "group"};

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        json_t *m = json_object(), *validators = json_object_get(one, "validations");
        for (size_t k = 0; k < ARRAY_LEN(copied); k++)
            if (json_object_get(one, copied[k]))
                json_object_set(m, copied[k], json_object_get(one, copied[k]));
        bool is_username = str_eq(json_opt_str(one, "name", STR("")), STR("username"));
        bool required = json_array_has(json_object_get(json_object_get(one, "required"), "roles"), STR("admin"));
        json_object_set_new(m, "required", json_boolean(is_username || required));
        json_object_set_new(m, "readOnly", json_boolean(!allows(one, "edit", "admin")));
        for (size_t k = 0; k < ARRAY_LEN(after); k++)
            if (json_object_get(one, after[k]))
                json_object_set(m, after[k], json_object_get(one, after[k]));
        json_object_set_new(m, "validators", validators ? json_incref(validators) : json_object());
        json_object_set_new(m, "multivalued", json_boolean(json_opt_bool(one, "multivalued", false)));
        json_array_append_new(attributes, m);
    }
    json_t *metadata = json_object();
    json_object_set_new(metadata, "attributes", attributes);
    json_object_set_new(metadata, "groups", groups ? json_incref(groups) : json_array());
    return metadata;
}

/* ---- checking ---- */

static json_t *problem(const char *field, const char *message)
{
    return json_pack("{s:s, s:s, s:[s]}", "field", field, "errorMessage", message, "params", field);
}

static int64_t setting(const json_t *config, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(config, key);
    int64_t n;

    if (json_is_integer(v))
        return json_integer_value(v);
    return str_to_i64(json_str(v), &n, NULL) == 0 ? n : fallback;
}

static int64_t runes(struct str s)
{
    int64_t n = 0;

    for (size_t at = 0; at < s.n; n++)
        (void)str_next_rune(s, &at);
    return n;
}

static json_t *check_length(const char *field, struct str value, const json_t *config)
{
    int64_t min = setting(config, "min", 0), max = setting(config, "max", INT64_MAX), n = runes(value);

    if (n >= min && n <= max)
        return NULL;
    if (max == INT64_MAX)
        return json_pack("{s:s, s:s, s:[s, I]}", "field", field, "errorMessage", "error-invalid-length-too-short",
                         "params", field, (json_int_t)min);
    if (min == 0)
        return json_pack("{s:s, s:s, s:[s, s, I]}", "field", field, "errorMessage", "error-invalid-length-too-long",
                         "params", field, "", (json_int_t)max);
    return json_pack("{s:s, s:s, s:[s, I, I]}", "field", field, "errorMessage", "error-invalid-length", "params", field,
                     (json_int_t)min, (json_int_t)max);
}

static bool is_email(struct str s)
{
    size_t at = str_rfind_char(s, '@');

    if (at == SIZE_MAX || at == 0 || at > 64 || at + 1 >= s.n || s.n > 255 || s.p[at + 1] == '.' ||
        s.p[s.n - 1] == '.' || s.p[0] == '.' || s.p[at - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127 || strchr("<>()[]\\,;:\"", s.p[i]) ||
            (s.p[i] == '@' && i != at))
            return false;
    return str_find(s, STR(".."), 0) == SIZE_MAX;
}

static bool has_any(struct str s, const char *characters)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || strchr(characters, s.p[i]))
            return true;
    return false;
}

static bool matches(struct str value, struct str pattern)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    regex_t compiled;

    if (str_is_null(pattern) || pattern.n > 1024 ||
        regcomp(&compiled, arena_cstr(&a, arena_printf(&a, "^(%.*s)$", STR_ARG(pattern))), REG_EXTENDED | REG_NOSUB) !=
            0)
        return true;
    bool ok = regexec(&compiled, arena_cstr(&a, value), 0, NULL, 0) == 0;
    regfree(&compiled);
    return ok;
}

static json_t *check_value(const char *field, struct str value, const char *validator, const json_t *config)
{
    int64_t n;
    double f;

    if (strcmp(validator, "length") == 0)
        return check_length(field, value, config);
    if (strcmp(validator, "email") == 0 && !is_email(value))
        return problem(field, "error-invalid-email");
    if (strcmp(validator, "username-prohibited-characters") == 0 && has_any(value, "<>&\"'$%!#?\\/,;*~ "))
        return problem(field, "error-username-invalid-character");
    if (strcmp(validator, "person-name-prohibited-characters") == 0 && has_any(value, "<>&\"$%!#?\\/;*~"))
        return problem(field, "error-person-name-invalid-character");
    if (strcmp(validator, "options") == 0 && !json_array_has(json_object_get(config, "options"), value))
        return problem(field, "error-invalid-value");
    if (strcmp(validator, "pattern") == 0 && !matches(value, json_opt_str(config, "pattern", STR_NULL)))
        return problem(field, "error-pattern-no-match");
    if (strcmp(validator, "integer") == 0 &&
        (str_to_i64(value, &n, NULL) < 0 || n < setting(config, "min", INT64_MIN) ||
         n > setting(config, "max", INT64_MAX)))
        return problem(field, "error-invalid-number");
    if (strcmp(validator, "double") == 0 && str_to_f64(value, &f, NULL) < 0)
        return problem(field, "error-invalid-number");
    return NULL;
}

static json_t *check_values(const json_t *attribute, const char *field, const json_t *values)
{
    json_t *validations = json_object_get(attribute, "validations"), *config;
    const char *validator;

    for (size_t i = 0; i < (json_is_string(values) ? 1 : json_array_size(values)); i++) {
        struct str value = json_str(json_is_string(values) ? values : json_array_get(values, i));
        if (value.n == 0)
            continue;
        json_object_foreach(validations, validator, config)
        {
            json_t *p = check_value(field, value, validator, config);
            if (p)
                return p;
        }
    }
    return NULL;
}

static bool is_required(const json_t *attribute, bool is_admin)
{
    const json_t *required = json_object_get(attribute, "required");
    const json_t *roles = json_object_get(required, "roles");

    return json_is_object(required) &&
           (!roles || json_array_size(roles) == 0 || json_array_has(roles, is_admin ? STR("admin") : STR("user")));
}

static bool is_root(const char *name)
{
    return strcmp(name, "username") == 0 || strcmp(name, "email") == 0 || strcmp(name, "firstName") == 0 ||
           strcmp(name, "lastName") == 0;
}

/* The new values of an attribute, or the present ones. */
static const json_t *values_of(const json_t *rep, const json_t *current, const char *name)
{
    const json_t *given = json_object_get(rep, "attributes");

    if (is_root(name)) {
        const json_t *v = json_object_get(rep, name);
        return v && !json_is_null(v) ? v : json_object_get(current, name);
    }
    /* Attributes come all together or not at all. */
    return json_object_get(json_is_object(given) ? given : json_object_get(current, "attributes"), name);
}

static bool is_empty(const json_t *values)
{
    if (json_is_string(values))
        return json_string_length(values) == 0;
    return json_array_size(values) == 0;
}

static void drop_unmanaged(const json_t *config, json_t *rep, const json_t *current, bool is_admin)
{
    struct str policy = json_opt_str(config, "unmanagedAttributePolicy", STR("DISABLED"));
    bool open = str_eq(policy, STR("ENABLED")) || (is_admin && str_eq(policy, STR("ADMIN_EDIT")));
    json_t *attributes = json_object_get(rep, "attributes"), *kept, *value;
    const json_t *old = json_object_get(current, "attributes");
    const char *key;

    if (!json_is_object(attributes))
        return;
    kept = json_object();
    json_object_foreach(attributes, key, value)
    {
        const json_t *known = find_attribute(config, key);
        if (is_root(key))
            continue;
        if (known ? allows(known, "edit", is_admin ? "admin" : "user") : open)
            json_object_set(kept, key, value);
        else if (json_object_get(old, key))
            json_object_set(kept, key, json_object_get(old, key));
    }
    json_object_set_new(rep, "attributes", kept);
}

json_t *profile_check(const struct realm *r, json_t *rep, const json_t *current, bool is_admin)
{
    JSON_SCOPED json_t *config = profile_config(r);
    const json_t *list = json_object_get(config, "attributes");

    drop_unmanaged(config, rep, current, is_admin);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *attribute = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(attribute, "name"));
        const json_t *values = values_of(rep, current, name);
        json_t *p;
        if (is_empty(values) && strcmp(name, "username") != 0 && is_required(attribute, is_admin))
            return problem(name, "error-user-attribute-required");
        /* What doesn't change was checked when it came, perhaps by other rules. */
        if (current && values && json_equal(values, values_of(current, NULL, name)))
            continue;
        p = check_values(attribute, name, values);
        if (p)
            return p;
    }
    return NULL;
}
