/* Realms: list, create, read, change, delete; default groups and scopes, client policies, localization, the user profile. */
#include "identity/admin/internal.h"
#include "identity/profile.h"

static json_t *brief_realm(const struct realm *r)
{
    static const char *const members[] = {"id", "realm", "displayName", "displayNameHtml", "enabled"};
    json_t *rep = json_object();

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_object_get(r->rep, members[i]))
            json_object_set(rep, members[i], json_object_get(r->rep, members[i]));
    return rep;
}

/* What the caller sees of a realm: all, its name, or nothing. */
static json_t *seen_realm(struct admin_call *a, bool brief)
{
    json_t *rep;

    if (admin_may(a, MAY_VIEW_REALM))
        return brief ? brief_realm(a->realm) : realm_rep(a->realm);
    if (!(a->rights & ~(unsigned)RIGHT_CREATE_REALM))
        return NULL;
    rep = json_object();
    json_object_set(rep, "realm", json_object_get(a->realm->rep, "realm"));
    return rep;
}

ADMIN(admin_list_realms, MAY_ANY)
{
    bool brief = admin_query_flag(a, "briefRepresentation", false);
    json_t *list = json_array();
    struct str *names;
    size_t n = identity_realm_names(a->oidc->context->model, a->arena, &names);

    for (size_t i = 0; i < n; i++) {
        struct realm *r;
        if (identity_realm(a->oidc->context->model, names[i], &r, NULL) < 0)
            continue;
        json_t *rep = admin_realm_as_seen(a, r, seen_realm, brief);
        if (rep)
            json_array_append_new(list, rep);
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        return admin_denied(err);
    }
    return admin_answer(a, list);
}

ADMIN(admin_create_realm, MAY_ANY)
{
    json_t *rep = NULL;
    int rc;

    if (!admin_may(a, RIGHT_CREATE_REALM))
        return admin_denied(err);
    /* Keycloak reads this body itself, and has its own words for what is wrong with it. */
    if (json_parse(a->call->body, &rep, NULL) < 0)
        return err_set(err, ERR_INVALID, "unable to read contents from stream");
    json_keep(a->arena, rep);
    if (represent_check(rep, REP_REALM, NULL) < 0)
        return err_set(err, ERR_INVALID, "unable to read contents from stream");
    rc = admin_begin(a, err);
    if (rc == 0)
        rc = identity_import_realm(a->change, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    struct str name = json_opt_str(rep, "realm", STR(""));
    if (identity_realm(a->oidc->context->model, name, &a->realm, err) == 0)
        admin_event(a, "CREATE", "REALM", rep, "%.*s", STR_ARG(name));
    BUF_SCOPED struct buf path;
    buf_init(&path, 1024);
    enc_percent(&path, name, false);
    return admin_created(a, "%s", buf_cstr(&path));
}

ADMIN(admin_get_realm, MAY_ANY)
{
    json_t *rep = seen_realm(a, false);
    return rep ? admin_answer(a, rep) : admin_denied(err);
}

ADMIN(admin_put_realm, MAY_MANAGE_REALM)
{
    json_t *rep;
    int rc = admin_body(a, REP_REALM, &rep, err);
    struct str name = json_opt_str(rep, "realm", a->realm->name);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = realm_update(a->change, a->draft, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "REALM", rep, "%.*s", STR_ARG(name));
    return rc;
}

ADMIN(admin_delete_realm, MAY_MANAGE_REALM)
{
    struct str id = a->realm->id;
    int rc;

    if (str_eq(a->realm->name, STR("master")))
        return err_set(err, ERR_INVALID, "Can't remove master realm");
    rc = admin_begin(a, err);
    if (rc == 0)
        rc = identity_remove_realm(a->change, a->realm->name, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        rc = sessions_forget_realm(a->oidc->context->sessions, id, err);
    if (rc == 0)
        admin_event(a, "DELETE", "REALM", NULL, "%.*s", STR_ARG(a->realm->name));
    return rc;
}

/* ---- default scopes and groups ---- */

static int list_default_scopes(struct admin_call *a, bool is_default)
{
    json_t *list = json_array();

    for (size_t i = 0; i < a->realm->scope_count; i++) {
        const struct client_scope *s = a->realm->scopes[i];
        if (is_default ? !s->is_default : !s->is_optional)
            continue;
        json_t *one = json_object();
        json_object_set(one, "id", json_object_get(s->rep, "id"));
        json_object_set(one, "name", json_object_get(s->rep, "name"));
        json_object_set(one, "protocol", json_object_get(s->rep, "protocol"));
        json_array_append_new(list, one);
    }
    return admin_answer(a, list);
}

static void change_list(struct admin_call *a, const char *key, struct str id, bool add)
{
    json_t *rep = json_copy(draft_rep(a->draft)), *ids = json_object_get(rep, key);

    ids = ids ? json_copy(ids) : json_array();
    for (size_t i = json_array_size(ids); i-- > 0;)
        if (str_eq(json_str(json_array_get(ids, i)), id))
            json_array_remove(ids, i);
    if (add)
        json_array_append_new(ids, json_stringn(id.p, id.n));
    json_object_set_new(rep, key, ids);
    draft_set_rep(a->draft, rep);
}

static int change_default_scope(struct admin_call *a, bool is_default, bool add, struct err *err)
{
    const struct client_scope *s;
    int rc;

    if (!realm_scope_by_id(a->realm, admin_param(a, "scope")))
        return err_set(err, ERR_NOT_FOUND, "Client scope not found");
    rc = admin_find_scope(a, &s, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc < 0)
        return rc;
    if (add)
        change_list(a, is_default ? "$optional" : "$default", s->id, false);
    change_list(a, is_default ? "$default" : "$optional", s->id, add);
    rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, add ? "CREATE" : "DELETE", "CLIENT_SCOPE", NULL, "default-%s-client-scopes/%.*s",
                    is_default ? "default" : "optional", STR_ARG(s->id));
    return rc;
}

ADMIN(admin_list_default_scopes, MAY_VIEW_CLIENTS)
{
    (void)err;
    return list_default_scopes(a, true);
}

ADMIN(admin_list_optional_scopes, MAY_VIEW_CLIENTS)
{
    (void)err;
    return list_default_scopes(a, false);
}

ADMIN(admin_add_default_scope, MAY_MANAGE_CLIENTS)
{
    return change_default_scope(a, true, true, err);
}

ADMIN(admin_add_optional_scope, MAY_MANAGE_CLIENTS)
{
    return change_default_scope(a, false, true, err);
}

ADMIN(admin_remove_default_scope, MAY_MANAGE_CLIENTS)
{
    return change_default_scope(a, true, false, err);
}

ADMIN(admin_remove_optional_scope, MAY_MANAGE_CLIENTS)
{
    return change_default_scope(a, false, false, err);
}

ADMIN(admin_list_default_groups, MAY_VIEW_REALM)
{
    const json_t *ids = json_object_get(a->realm->rep, "$defaultGroups");
    json_t *list = json_array();

    (void)err;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct group *g = realm_group_by_id(a->realm, json_str(json_array_get(ids, i)));
        if (g)
            json_array_append_new(list, group_rep(g, true));
    }
    return admin_answer(a, list);
}

static int change_default_group(struct admin_call *a, bool add, struct err *err)
{
    const struct group *g;
    int rc = admin_find_group(a, &g, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc < 0)
        return rc;
    change_list(a, "$defaultGroups", g->id, add);
    rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, add ? "CREATE" : "DELETE", "GROUP", NULL, "default-groups/%.*s", STR_ARG(g->id));
    return rc;
}

ADMIN(admin_add_default_group, MAY_MANAGE_REALM)
{
    return change_default_group(a, true, err);
}

ADMIN(admin_remove_default_group, MAY_MANAGE_REALM)
{
    return change_default_group(a, false, err);
}

/* ---- client policies: kept, and said to be of no effect where they would have one ---- */

static int answer_member(struct admin_call *a, const char *member, const char *inner)
{
    json_t *value = json_object_get(a->realm->rep, member);

    return admin_answer(a, value ? json_incref(value) : json_pack("{s:[]}", inner));
}

static int put_member(struct admin_call *a, const char *member, const char *inner, struct err *err)
{
    json_t *body;
    int rc = admin_body_json(a, &body, err);

    if (rc < 0)
        return rc;
    if (!json_is_array(json_object_get(body, inner)))
        return err_set(err, ERR_INVALID, "'%s' should be an array", inner);
    if (json_array_size(json_object_get(body, inner)))
        return err_set(err, ERR_UNSUPPORTED, "client policies and profiles are not supported");
    rc = admin_begin(a, err);
    if (rc < 0)
        return rc;
    json_t *rep = json_copy(draft_rep(a->draft));
    json_object_set(rep, member, body);
    draft_set_rep(a->draft, rep);
    return admin_commit(a, err);
}

ADMIN(admin_get_client_profiles, MAY_VIEW_REALM)
{
    (void)err;
    return answer_member(a, "clientProfiles", "profiles");
}

ADMIN(admin_put_client_profiles, MAY_MANAGE_REALM)
{
    return put_member(a, "clientProfiles", "profiles", err);
}

ADMIN(admin_get_client_policies, MAY_VIEW_REALM)
{
    (void)err;
    return answer_member(a, "clientPolicies", "policies");
}

ADMIN(admin_put_client_policies, MAY_MANAGE_REALM)
{
    return put_member(a, "clientPolicies", "policies", err);
}

/* ---- localization: texts by locale ---- */

enum { TEXTS_MAX = 5000, TEXT_MAX = 16 << 10 };

static const char *param_cstr(struct admin_call *a, const char *name)
{
    return arena_cstr(a->arena, admin_param(a, name));
}

ADMIN(admin_list_locales, MAY_VIEW_REALM)
{
    json_t *texts = json_object_get(a->realm->rep, "localizationTexts"), *list = json_array(), *value;
    const char *key;

    (void)err;
    json_object_foreach(texts, key, value) json_array_append_new(list, json_string(key));
    return admin_answer(a, list);
}

ADMIN(admin_get_locale, MAY_VIEW_REALM)
{
    const json_t *texts = json_object_get(a->realm->rep, "localizationTexts");
    json_t *of_locale = json_object_get(texts, param_cstr(a, "locale"));

    (void)err;
    return admin_answer(a, of_locale ? json_incref(of_locale) : json_object());
}

ADMIN(admin_get_text, MAY_VIEW_REALM)
{
    const json_t *texts = json_object_get(a->realm->rep, "localizationTexts");
    json_t *text = json_object_get(json_object_get(texts, param_cstr(a, "locale")), param_cstr(a, "key"));

    if (!text)
        return err_set(err, ERR_NOT_FOUND, "Localization text not found");
    return admin_answer(a, json_incref(text));
}

/* The realm's document with texts of the locale that may be changed; the caller's. */
static json_t *with_own_texts(struct admin_call *a, json_t **ret_locale)
{
    json_t *rep = json_copy(draft_rep(a->draft)), *texts = json_object_get(rep, "localizationTexts"), *locale;
    const char *name = param_cstr(a, "locale");

    texts = texts ? json_copy(texts) : json_object();
    json_object_set_new(rep, "localizationTexts", texts);
    locale = json_object_get(texts, name);
    locale = locale ? json_copy(locale) : json_object();
    json_object_set_new(texts, name, locale);
    *ret_locale = locale;
    return rep;
}

static int store_texts(struct admin_call *a, const json_t *texts, struct err *err)
{
    json_t *locale, *value;
    const char *key;
    int rc = admin_begin(a, err);

    if (rc < 0)
        return rc;
    JSON_SCOPED json_t *rep = with_own_texts(a, &locale);
    json_object_foreach((json_t *)texts, key, value)
    {
        if (!json_is_string(value) || json_string_length(value) > TEXT_MAX)
            return err_set(err, ERR_INVALID, "a localization text should be text of at most %d bytes", TEXT_MAX);
        json_object_set(locale, key, value);
    }
    if (json_object_size(locale) > TEXTS_MAX)
        return err_set(err, ERR_INVALID, "a locale has at most %d texts", TEXTS_MAX);
    draft_set_rep(a->draft, json_incref(rep));
    return admin_commit(a, err);
}

ADMIN(admin_post_locale, MAY_MANAGE_REALM)
{
    json_t *body;
    int rc = admin_body_json(a, &body, err);
    return rc < 0 ? rc : store_texts(a, body, err);
}

ADMIN(admin_put_text, MAY_MANAGE_REALM)
{
    struct str body = a->call->body;
    json_t *texts = json_keep(a->arena, json_object());
    json_t *text = json_stringn(body.p ? body.p : "", body.n);

    if (!text)
        return err_set(err, ERR_INVALID, "a localization text should be UTF-8");
    json_object_set_new(texts, param_cstr(a, "key"), text);
    return store_texts(a, texts, err);
}

static int remove_text(struct admin_call *a, const char *key, struct err *err)
{
    json_t *locale;
    int rc = admin_begin(a, err);

    if (rc < 0)
        return rc;
    JSON_SCOPED json_t *rep = with_own_texts(a, &locale);
    if (key && json_object_del(locale, key) < 0)
        return err_set(err, ERR_NOT_FOUND, "Localization text not found");
    if (!key || json_object_size(locale) == 0)
        json_object_del(json_object_get(rep, "localizationTexts"), param_cstr(a, "locale"));
    draft_set_rep(a->draft, json_incref(rep));
    return admin_commit(a, err);
}

ADMIN(admin_delete_text, MAY_MANAGE_REALM)
{
    return remove_text(a, param_cstr(a, "key"), err);
}

ADMIN(admin_delete_locale, MAY_MANAGE_REALM)
{
    return remove_text(a, NULL, err);
}

/* ---- the user profile ---- */

ADMIN(admin_get_profile, MAY_ANY)
{
    if (!admin_may(a, MAY_VIEW_REALM | MAY_QUERY_USERS))
        return admin_denied(err);
    return admin_answer(a, profile_config(a->realm));
}

ADMIN(admin_put_profile, MAY_MANAGE_REALM)
{
    json_t *body;
    int rc = admin_body_json(a, &body, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = profile_set(a->draft, body, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, "UPDATE", "USER_PROFILE", body, "users/profile");
    return admin_answer(a, profile_config(a->realm));
}

ADMIN(admin_get_profile_metadata, MAY_ANY)
{
    if (!admin_may(a, MAY_VIEW_REALM | MAY_QUERY_USERS))
        return admin_denied(err);
    return admin_answer(a, profile_metadata(a->realm));
}
