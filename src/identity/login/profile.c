/* What users say of themselves, with the rules of Keycloak's default user profile. */
#include "identity/login/internal.h"

#include "base/vec.h"

enum { VALUE_MAX = 255 };

json_t *profile_json(const struct user *u)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "username", visit_json(u->username), "email", visit_json(u->email),
                     "firstName", visit_json(u->first_name), "lastName", visit_json(u->last_name));
}

/* person-name-prohibited-characters */
static bool is_person_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f || strchr("<>&\"$%!#?;*~/\\|^=[]{}()", c))
            return false;
    }
    return true;
}

/* One '@' with something before it and a domain behind it; whether it exists only a mail can tell. */
static bool is_email(struct str s)
{
    size_t at = str_find_char(s, '@', 0);

    if (at == SIZE_MAX || at == 0 || at > 64 || str_find_char(s, '@', at + 1) != SIZE_MAX)
        return false;
    struct str domain = str_skip(s, at + 1);
    if (domain.n == 0 || domain.p[0] == '.' || domain.p[0] == '-' || domain.p[domain.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c == 0x7f || strchr("<>()[]\\,;:\"", c))
            return false;
    }
    return true;
}

bool profile_update(struct visit *v, const struct user *u, json_t *data, struct err *err)
{
    static const char *const names[] = {"email", "firstName", "lastName"};
    const struct str had[] = {u->email, u->first_name, u->last_name};
    JSON_SCOPED json_t *rep = json_object();
    json_t *bad = json_object(), *shown = profile_json(u);
    CHANGE_SCOPED struct identity_change *c = NULL;

    json_object_set_new(data, "user", shown);
    json_object_set_new(data, "bad", bad);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str value = str_trim(http_form_get(&v->form, names[i]));
        bool ok = value.n && value.n <= VALUE_MAX && (i == 0 ? is_email(value) : is_person_name(value));
        json_object_set_new(shown, names[i], visit_json(value));
        json_object_set_new(rep, names[i], visit_json(value));
        if (!ok)
            json_object_set_new(
                bad, names[i],
                visit_json(visit_text(v, i == 0 && value.n ? "invalidEmailMessage" : "missingField", STR_NULL)));
        if (i == 0 && !str_eq(value, had[0]))
            json_object_set_new(rep, "emailVerified", json_false());
    }
    if (json_object_size(bad))
        return false;
    int rc = identity_change_begin(v->context->model, &c, err);
    if (rc == 0)
        rc = user_update(c, v->realm, u->id, rep, err);
    if (rc == 0)
        rc = identity_change_commit(c, err);
    if (rc == ERR_EXISTS) {
        *err = (struct err){0};
        json_object_set_new(bad, "email", visit_json(visit_text(v, "emailExistsMessage", STR_NULL)));
    }
    return rc == 0;
}
