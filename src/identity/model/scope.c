/* Client scopes, and the protocol mappers of scopes and clients. */
#include "identity/model/internal.h"

enum { MAPPERS_MAX = 1000, NAME_MAX_BYTES = 255 };

/* ---- mappers: in the document of their owner, under "protocolMappers" ---- */

static void give(json_t *config, const char *key, struct str value)
{
    if (!json_object_get(config, key))
        json_object_set_new(config, key, json_of(value));
}

/* As Keycloak's effective mappers: what isn't said of introspection is true, of userinfo as of the ID token. */
static void complete_config(json_t *config)
{
    struct str id_token = json_opt_str(config, "id.token.claim", STR_NULL);

    if (!str_is_null(json_opt_str(config, "access.token.claim", STR_NULL)) || !str_is_null(id_token))
        give(config, "introspection.token.claim", STR("true"));
    if (!str_is_null(id_token))
        give(config, "userinfo.token.claim", id_token);
}

json_t *mapper_rep(const struct protocol_mapper *m)
{
    json_t *rep = json_copy(m->rep), *config = m->config ? json_copy(m->config) : json_object();

    complete_config(config);
    json_object_set_new(rep, "config", config);
    return rep;
}

static json_t *complete_mapper(const json_t *rep, struct str id)
{
    static const char *const names[] = {"name", "protocol", "protocolMapper"};
    json_t *m = json_object(), *config = json_object(), *value;
    const char *key;

    json_object_set_new(m, "id", json_of(id));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        json_put_str(m, names[i], json_opt_str(rep, names[i], STR_NULL));
    json_object_set_new(m, "consentRequired", json_boolean(json_opt_bool(rep, "consentRequired", false)));
    json_object_foreach(json_object_get(rep, "config"), key, value) if (json_is_string(value))
        json_object_set(config, key, value);
    json_object_set_new(m, "config", config);
    return m;
}

static json_t *find_mapper(const json_t *mappers, const char *key, struct str value, size_t *ret_at)
{
    for (size_t i = 0; i < json_array_size(mappers); i++)
        if (str_eq(json_opt_str(json_array_get(mappers, i), key, STR("")), value)) {
            if (ret_at)
                *ret_at = i;
            return json_array_get(mappers, i);
        }
    return NULL;
}

int mapper_append(json_t *mappers, const json_t *rep, bool keep_id, struct str *ret_id, struct err *err)
{
    struct str name = json_opt_str(rep, "name", STR("")), given = json_opt_str(rep, "id", STR_NULL);
    char id[UUID_TEXT_SIZE];

    uuid_v4(id);
    if (!keep_id || str_is_null(given) || given.n == 0)
        given = str_from_cstr(id);
    if (!json_is_object(rep) || name.n == 0 || name.n > NAME_MAX_BYTES || given.n > 36)
        return err_set(err, ERR_INVALID, "a protocol mapper should have a name of 1 to %d bytes", NAME_MAX_BYTES);
    if (json_opt_str(rep, "protocolMapper", STR("")).n == 0)
        return err_set(err, ERR_INVALID, "ProtocolMapper provider not found");
    if (json_array_size(mappers) >= MAPPERS_MAX)
        return err_set(err, ERR_INVALID, "a client or client scope has at most %d mappers", MAPPERS_MAX);
    if (find_mapper(mappers, "name", name, NULL))
        return err_set(err, ERR_EXISTS, "Protocol mapper exists with same name");
    json_t *m = complete_mapper(rep, given);
    json_array_append_new(mappers, m);
    if (ret_id)
        *ret_id = json_opt_str(m, "id", STR(""));
    return 0;
}

/* The owner's document with an own list of mappers. */
static json_t *owner_copy(struct realm_draft *d, enum realm_kind kind, struct str owner, json_t **ret_mappers,
                          struct err *err)
{
    json_t *doc = draft_get(d, kind, owner);
    json_t *mappers = json_object_get(doc, "protocolMappers");

    if (!doc) {
        err_set(err, ERR_NOT_FOUND, kind == KIND_CLIENT ? "Could not find client" : "Could not find client scope");
        return NULL;
    }
    doc = json_copy(doc);
    mappers = mappers ? json_copy(mappers) : json_array();
    json_object_set_new(doc, "protocolMappers", mappers);
    *ret_mappers = mappers;
    return doc;
}

static void put_owner(struct realm_draft *d, enum realm_kind kind, json_t *doc)
{
    if (json_array_size(json_object_get(doc, "protocolMappers")) == 0)
        json_object_del(doc, "protocolMappers");
    draft_put(d, kind, json_incref(doc));
}

int mapper_add(struct realm_draft *d, enum realm_kind kind, struct str owner, const json_t *rep, struct str *ret_id,
               struct err *err)
{
    json_t *mappers;
    JSON_SCOPED json_t *doc = owner_copy(d, kind, owner, &mappers, err);
    int rc;

    if (!doc)
        return ERR_NOT_FOUND;
    rc = mapper_append(mappers, rep, false, ret_id, err);
    if (rc == 0)
        put_owner(d, kind, doc);
    return rc;
}

int mapper_update(struct realm_draft *d, enum realm_kind kind, struct str owner, struct str id, const json_t *rep,
                  struct err *err)
{
    json_t *mappers;
    JSON_SCOPED json_t *doc = owner_copy(d, kind, owner, &mappers, err);
    struct str name = json_opt_str(rep, "name", STR(""));
    size_t at, other;

    if (!doc)
        return ERR_NOT_FOUND;
    if (!find_mapper(mappers, "id", id, &at))
        return err_set(err, ERR_NOT_FOUND, "Model not found");
    if (name.n == 0 || name.n > NAME_MAX_BYTES || json_opt_str(rep, "protocolMapper", STR("")).n == 0)
        return err_set(err, ERR_INVALID, "a protocol mapper should have a name and a protocolMapper");
    if (find_mapper(mappers, "name", name, &other) && other != at)
        return err_set(err, ERR_EXISTS, "Protocol mapper exists with same name");
    json_array_set_new(mappers, at, complete_mapper(rep, id));
    put_owner(d, kind, doc);
    return 0;
}

int mapper_delete(struct realm_draft *d, enum realm_kind kind, struct str owner, struct str id, struct err *err)
{
    json_t *mappers;
    JSON_SCOPED json_t *doc = owner_copy(d, kind, owner, &mappers, err);
    size_t at;

    if (!doc)
        return ERR_NOT_FOUND;
    if (!find_mapper(mappers, "id", id, &at))
        return err_set(err, ERR_NOT_FOUND, "Model not found");
    json_array_remove(mappers, at);
    put_owner(d, kind, doc);
    return 0;
}

/* ---- scopes ---- */

static int check_scope(struct realm_draft *d, const json_t *doc, struct err *err)
{
    struct str name = json_opt_str(doc, "name", STR("")), id = json_opt_str(doc, "id", STR(""));
    const json_t *other = draft_find(d, KIND_SCOPE, "name", name, NULL, STR_NULL);

    if (name.n == 0 || name.n > NAME_MAX_BYTES || str_find_char(name, ' ', 0) != SIZE_MAX ||
        str_find_char(name, '/', 0) != SIZE_MAX)
        return err_set(err, ERR_INVALID, "Unexpected name \"%.*s\" for ClientScope", STR_ARG(name));
    if (id.n == 0 || id.n > 36)
        return err_set(err, ERR_INVALID, "a client scope's id should have 1 to 36 characters");
    if (other && !str_eq(json_opt_str(other, "id", STR("")), id))
        return err_set(err, ERR_EXISTS, "Client Scope %.*s already exists", STR_ARG(name));
    return 0;
}

static json_t *merge_scope(const json_t *old, const json_t *rep)
{
    static const char *const names[] = {"id", "name", "description", "protocol"};
    json_t *doc = json_object(), *attributes, *value;
    const char *key;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str s = json_opt_str(rep, names[i], json_opt_str(old, names[i], STR_NULL));
        if (!str_is_null(s))
            json_object_set_new(doc, names[i], json_of(s));
    }
    if (!json_object_get(doc, "protocol"))
        json_object_set_new(doc, "protocol", json_string("openid-connect"));
    attributes = json_object_get(old, "attributes") ? json_copy(json_object_get(old, "attributes")) : json_object();
    json_object_foreach(json_object_get(rep, "attributes"), key, value)
    {
        if (json_is_null(value))
            json_object_del(attributes, key);
        else
            json_object_set(attributes, key, value);
    }
    json_object_set_new(doc, "attributes", attributes);
    json_object_foreach((json_t *)old, key, value) if (!json_object_get(doc, key)) json_object_set(doc, key, value);
    return doc;
}

int scope_create(struct realm_draft *d, const json_t *rep, struct str *ret_id, struct err *err)
{
    JSON_SCOPED json_t *doc = merge_scope(NULL, rep);
    const json_t *list = json_object_get(rep, "protocolMappers");
    int rc;

    if (json_opt_str(doc, "id", STR("")).n == 0)
        json_new_id(doc);
    rc = check_scope(d, doc, err);
    if (rc == 0 && json_array_size(list)) {
        json_t *mappers = json_array();
        json_object_set_new(doc, "protocolMappers", mappers);
        for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
            rc = mapper_append(mappers, json_array_get(list, i), true, NULL, err);
    }
    if (rc < 0)
        return rc;
    json_object_set_new(doc, "$roles", json_array());
    draft_put(d, KIND_SCOPE, json_incref(doc));
    if (ret_id)
        *ret_id = json_opt_str(doc, "id", STR(""));
    return 0;
}

int scope_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err)
{
    const json_t *old = draft_get(d, KIND_SCOPE, id);
    int rc;

    if (!old)
        return err_set(err, ERR_NOT_FOUND, "Could not find client scope");
    JSON_SCOPED json_t *doc = merge_scope(old, rep);
    json_object_set_new(doc, "id", json_of(id));
    rc = check_scope(d, doc, err);
    if (rc == 0)
        draft_put(d, KIND_SCOPE, json_incref(doc));
    return rc;
}
