/*
 * Users: reading and changing their rows. What a UserRepresentation has and no column holds is kept in `doc`; attributes
 * are in a table too, for searching by them.
 */
#include "base/clock.h"
#include "identity/model/internal.h"

#define USER_COLUMNS                                                                                                 \
    "u.id, u.username, u.email, u.first_name, u.last_name, u.enabled, u.email_verified, u.created_ms, u.not_before," \
    " u.service_account_of, u.doc"

/* Members of a representation that the columns hold, or other tables, or that are worked out. */
static const char *const not_in_doc[] = {
    "id",
    "username",
    "email",
    "firstName",
    "lastName",
    "enabled",
    "emailVerified",
    "createdTimestamp",
    "notBefore",
    "serviceAccountClientId",
    "credentials",
    "groups",
    "realmRoles",
    "clientRoles",
    "totp",
    "access",
    "self",
    "origin",
    "federationLink",
    "userProfileMetadata",
    "disableableCredentialTypes",
};

static struct str text_at(const struct db_rows *rows, size_t row, size_t column)
{
    const struct db_value *v = &db_at(rows, row, column);
    return v->type == DB_NULL ? STR_NULL : v->text;
}

static void put_optional(json_t *rep, const char *key, struct str s)
{
    if (!str_is_null(s))
        json_object_set_new(rep, key, json_of(s));
}

/* In the order of Keycloak's answers. */
static json_t *representation(const struct user *u, json_t *doc)
{
    json_t *rep = json_object(), *actions = json_object_get(doc, "requiredActions");
    const char *key;
    json_t *value;

    put_optional(rep, "id", u->id);
    put_optional(rep, "username", u->username);
    put_optional(rep, "firstName", u->first_name);
    put_optional(rep, "lastName", u->last_name);
    put_optional(rep, "email", u->email);
    json_object_set_new(rep, "emailVerified", json_boolean(u->email_verified));
    if (json_object_size(json_object_get(doc, "attributes")))
        json_object_set(rep, "attributes", json_object_get(doc, "attributes"));
    json_object_set_new(rep, "enabled", json_boolean(u->enabled));
    json_object_set_new(rep, "createdTimestamp", json_integer(u->created_ms));
    json_object_set_new(rep, "totp", json_false());
    json_object_set_new(rep, "disableableCredentialTypes", json_array());
    json_object_set_new(rep, "requiredActions", actions ? json_incref(actions) : json_array());
    json_object_set_new(rep, "notBefore", json_integer(u->not_before));
    json_object_foreach(doc, key, value) if (!json_object_get(rep, key) && strcmp(key, "attributes") != 0 &&
                                             key[0] != '$') json_object_set(rep, key, value);
    return rep;
}

static int read_user(struct arena *a, const struct db_rows *rows, size_t row, struct user *ret, struct err *err)
{
    struct user u = {
        .id = text_at(rows, row, 0),
        .username = text_at(rows, row, 1),
        .email = text_at(rows, row, 2),
        .first_name = text_at(rows, row, 3),
        .last_name = text_at(rows, row, 4),
        .enabled = db_at(rows, row, 5).i != 0,
        .email_verified = db_at(rows, row, 6).i != 0,
        .created_ms = db_at(rows, row, 7).i,
        .not_before = db_at(rows, row, 8).i,
        .service_account_of = text_at(rows, row, 9),
    };
    json_t *doc = NULL;
    int rc = json_parse(text_at(rows, row, 10), &doc, err);

    if (rc < 0)
        return err_prefix(err, "the user %.*s", STR_ARG(u.id));
    json_keep(a, doc);
    u.required_action_count = json_strings(a, doc, "requiredActions", &u.required_actions);
    u.attributes = json_object_get(doc, "attributes");
    if (!u.attributes)
        u.attributes = json_keep(a, json_object());
    u.rep = json_keep(a, representation(&u, doc));
    *ret = u;
    return 0;
}

static int find_one(struct identity *i, struct arena *a, const char *sql, const struct db_value *params, size_t n,
                    struct user *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_rows rows;
    int rc = db_acquire(i->db, &conn, err);

    if (rc == 0)
        rc = db_query(conn, a, sql, params, n, &rows, err);
    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "User not found");
    return read_user(a, &rows, 0, ret, err);
}

/* Text that the database refuses (not UTF-8, a NUL) is nobody's name. */
static bool is_text(struct str s)
{
    return s.n <= 1024 && str_is_utf8(s) && (s.n == 0 || !memchr(s.p, 0, s.n));
}

static int find_by(struct identity *i, const struct realm *r, struct arena *a, const char *sql, struct str value,
                   struct user *ret, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(value)};

    if (!is_text(value) || str_is_null(value))
        return err_set(err, ERR_NOT_FOUND, "User not found");
    return find_one(i, a, sql, params, 2, ret, err);
}

int user_by_id(struct identity *i, const struct realm *r, struct arena *a, struct str id, struct user *ret,
               struct err *err)
{
    return find_by(i, r, a, "SELECT " USER_COLUMNS " FROM identity_user u WHERE u.realm_id = $1 AND u.id = $2", id, ret,
                   err);
}

int user_by_name(struct identity *i, const struct realm *r, struct arena *a, struct str username, struct user *ret,
                 struct err *err)
{
    return find_by(i, r, a, "SELECT " USER_COLUMNS " FROM identity_user u WHERE u.realm_id = $1 AND u.username = $2",
                   arena_lower(a, username), ret, err);
}

int user_by_email(struct identity *i, const struct realm *r, struct arena *a, struct str email, struct user *ret,
                  struct err *err)
{
    return find_by(i, r, a,
                   "SELECT " USER_COLUMNS " FROM identity_user u WHERE u.realm_id = $1 AND u.email = $2"
                   " ORDER BY u.created_ms, u.id",
                   arena_lower(a, email), ret, err);
}

int user_by_login(struct identity *i, const struct realm *r, struct arena *a, struct str login, struct user *ret,
                  struct err *err)
{
    if (r->login_with_email && memchr(login.p ? login.p : "", '@', login.n)) {
        int rc = user_by_email(i, r, a, login, ret, err);
        if (rc != ERR_NOT_FOUND)
            return rc;
    }
    return user_by_name(i, r, a, login, ret, err);
}

int user_of_service_account(struct identity *i, const struct realm *r, struct arena *a, const struct client *c,
                            struct user *ret, struct err *err)
{
    return find_by(i, r, a,
                   "SELECT " USER_COLUMNS " FROM identity_user u WHERE u.realm_id = $1 AND u.service_account_of = $2",
                   c->id, ret, err);
}

/* ---- roles and groups ---- */

static int read_ids(struct identity *i, const struct realm *r, struct arena *a, const char *sql, struct str user_id,
                    struct db_rows *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_text(r->id), db_text(user_id)};
    int rc = db_acquire(i->db, &conn, err);

    return rc < 0 ? rc : db_query(conn, a, sql, params, 2, ret, err);
}

int user_own_roles(struct identity *i, const struct realm *r, struct arena *a, const struct user *u,
                   const struct role ***ret, size_t *ret_n, struct err *err)
{
    struct db_rows rows;
    int rc = read_ids(i, r, a, "SELECT role_id FROM identity_user_role WHERE realm_id = $1 AND user_id = $2", u->id,
                      &rows, err);

    if (rc < 0)
        return rc;
    const struct role **list = (const struct role **)arena_array(a, struct role *, rows.row_count);
    size_t n = 0;
    for (size_t k = 0; k < rows.row_count; k++) {
        const struct role *role = realm_role_by_id(r, db_at(&rows, k, 0).text);
        if (role)
            list[n++] = role;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

static int by_group_path(const void *a, const void *b)
{
    return str_cmp((*(const struct group *const *)a)->path, (*(const struct group *const *)b)->path);
}

int user_groups(struct identity *i, const struct realm *r, struct arena *a, const struct user *u,
                const struct group ***ret, size_t *ret_n, struct err *err)
{
    struct db_rows rows;
    int rc = read_ids(i, r, a, "SELECT group_id FROM identity_user_group WHERE realm_id = $1 AND user_id = $2", u->id,
                      &rows, err);

    if (rc < 0)
        return rc;
    const struct group **list = (const struct group **)arena_array(a, struct group *, rows.row_count);
    size_t n = 0;
    for (size_t k = 0; k < rows.row_count; k++) {
        const struct group *g = realm_group_by_id(r, db_at(&rows, k, 0).text);
        if (g)
            list[n++] = g;
    }
    if (n > 1)
        qsort(list, n, sizeof(struct group *), by_group_path); /* NOLINT(bugprone-sizeof-expression) */
    *ret = list;
    *ret_n = n;
    return 0;
}

int user_roles(struct identity *i, const struct realm *r, struct arena *a, const struct user *u,
               const struct role ***ret, size_t *ret_n, struct err *err)
{
    const struct role **own;
    const struct group **groups;
    size_t own_n, group_n, total, used;
    int rc = user_own_roles(i, r, a, u, &own, &own_n, err);

    if (rc == 0)
        rc = user_groups(i, r, a, u, &groups, &group_n, err);
    if (rc < 0)
        return rc;
    total = own_n;
    for (size_t k = 0; k < group_n; k++)
        for (const struct group *g = groups[k]; g; g = g->parent)
            total += g->role_count;
    const struct role **all = (const struct role **)arena_array(a, struct role *, total);
    for (used = 0; used < own_n; used++)
        all[used] = own[used];
    for (size_t k = 0; k < group_n; k++)
        for (const struct group *g = groups[k]; g; g = g->parent)
            for (size_t m = 0; m < g->role_count; m++)
                all[used++] = g->roles[m];
    *ret_n = role_expand(r, a, all, used, ret);
    return 0;
}

static int write_link(struct identity_change *c, const struct realm *r, struct str id, struct str other,
                      const char *sql, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(id), db_text(other)};
    return db_exec(identity_change_conn(c), sql, params, 3, NULL, err);
}

int user_add_role(struct identity_change *c, const struct realm *r, struct str id, const struct role *role,
                  struct err *err)
{
    return write_link(c, r, id, role->id,
                      "INSERT INTO identity_user_role (realm_id, user_id, role_id) VALUES ($1, $2, $3)"
                      " ON CONFLICT (realm_id, user_id, role_id) DO NOTHING",
                      err);
}

int user_remove_role(struct identity_change *c, const struct realm *r, struct str id, const struct role *role,
                     struct err *err)
{
    return write_link(c, r, id, role->id,
                      "DELETE FROM identity_user_role WHERE realm_id = $1 AND user_id = $2 AND role_id = $3", err);
}

int user_join_group(struct identity_change *c, const struct realm *r, struct str id, const struct group *g,
                    struct err *err)
{
    return write_link(c, r, id, g->id,
                      "INSERT INTO identity_user_group (realm_id, user_id, group_id) VALUES ($1, $2, $3)"
                      " ON CONFLICT (realm_id, user_id, group_id) DO NOTHING",
                      err);
}

int user_leave_group(struct identity_change *c, const struct realm *r, struct str id, const struct group *g,
                     struct err *err)
{
    return write_link(c, r, id, g->id,
                      "DELETE FROM identity_user_group WHERE realm_id = $1 AND user_id = $2 AND group_id = $3", err);
}

/* ---- changing ---- */

/* What a row is to be: columns beside the rest. */
struct row {
    struct str id, username, email, first_name, last_name, service_account_of;
    bool enabled, email_verified;
    int64_t created_ms, not_before;
    json_t *doc;
};

static int check_length(struct str s, const char *what, struct err *err)
{
    if (s.n > 255)
        return err_set_named(err, ERR_INVALID, "error-invalid-length-too-long", "'%s' is longer than 255 bytes", what);
    if (!is_text(s))
        return err_set(err, ERR_INVALID, "'%s' is not text", what);
    return 0;
}

static void take_str(const json_t *rep, const char *key, struct str *field)
{
    const json_t *v = json_object_get(rep, key);

    if (json_is_string(v))
        *field = json_str(v);
}

static void take_i64(const json_t *rep, const char *key, int64_t *field)
{
    *field = json_opt_i64(rep, key, *field);
}

static bool belongs_in_doc(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(not_in_doc); i++)
        if (strcmp(key, not_in_doc[i]) == 0)
            return false;
    return key[0] != '$';
}

/* Attributes are arrays of strings; Keycloak drops null and empty ones. */
static int clean_attributes(json_t *doc, struct err *err)
{
    json_t *attributes = json_object_get(doc, "attributes"), *clean, *values;
    const char *key;

    if (!attributes)
        return 0;
    if (json_object_size(attributes) > USER_ATTRIBUTES_MAX)
        return err_set(err, ERR_INVALID, "a user has at most %d attributes", USER_ATTRIBUTES_MAX);
    clean = json_object();
    json_object_foreach(attributes, key, values)
    {
        json_t *list = json_array();
        if (json_is_string(values))
            json_array_append(list, values);
        for (size_t i = 0; i < json_array_size(values); i++)
            if (json_is_string(json_array_get(values, i)))
                json_array_append(list, json_array_get(values, i));
        if (json_array_size(list) && strlen(key) <= 255)
            json_object_set(clean, key, list);
        json_decref(list);
    }
    json_object_set_new(doc, "attributes", clean);
    return 0;
}

static int merge(struct arena *a, const json_t *rep, struct row *row, struct err *err)
{
    const char *key;
    json_t *value;
    int rc;

    take_str(rep, "username", &row->username);
    take_str(rep, "email", &row->email);
    take_str(rep, "firstName", &row->first_name);
    take_str(rep, "lastName", &row->last_name);
    row->enabled = json_opt_bool(rep, "enabled", row->enabled);
    row->email_verified = json_opt_bool(rep, "emailVerified", row->email_verified);
    take_i64(rep, "createdTimestamp", &row->created_ms);
    take_i64(rep, "notBefore", &row->not_before);
    row->username = arena_lower(a, str_trim(row->username));
    row->email = row->email.n ? arena_lower(a, row->email) : STR_NULL;
    json_object_foreach((json_t *)rep, key, value) if (belongs_in_doc(key) && !json_is_null(value))
        json_object_set(row->doc, key, value);
    if (row->username.n == 0)
        return err_set_named(err, ERR_INVALID, "error-user-attribute-required", "User name is missing");
    rc = check_length(row->username, "username", err);
    if (rc == 0)
        rc = check_length(row->email, "email", err);
    if (rc == 0)
        rc = check_length(row->first_name, "firstName", err);
    if (rc == 0)
        rc = check_length(row->last_name, "lastName", err);
    if (rc == 0)
        rc = clean_attributes(row->doc, err);
    return rc;
}

/* Looked at first, since a failing statement would end the transaction. */
static int check_unique(struct identity_change *c, const struct realm *r, const struct row *row, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(row->username), db_text(row->id)};
    struct db_rows rows;
    int rc = db_query(identity_change_conn(c), identity_change_arena(c),
                      "SELECT 1 FROM identity_user WHERE realm_id = $1 AND username = $2 AND id <> $3", params, 3,
                      &rows, err);

    if (rc < 0)
        return rc;
    if (rows.row_count)
        return err_set(err, ERR_EXISTS, "User exists with same username");
    if (str_is_null(row->email) || r->duplicate_emails)
        return 0;
    params[1] = db_text(row->email);
    rc = db_query(identity_change_conn(c), identity_change_arena(c),
                  "SELECT 1 FROM identity_user WHERE realm_id = $1 AND email = $2 AND id <> $3", params, 3, &rows, err);
    if (rc < 0)
        return rc;
    return rows.row_count ? err_set(err, ERR_EXISTS, "User exists with same email") : 0;
}

static int write_attributes(struct identity_change *c, const struct realm *r, const struct row *row, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(row->id), db_text(STR_NULL), db_text(STR_NULL)};
    json_t *values;
    const char *key;
    int rc = db_exec(identity_change_conn(c),
                     "DELETE FROM identity_user_attribute WHERE realm_id = $1 AND user_id = $2", params, 2, NULL, err);

    json_object_foreach(json_object_get(row->doc, "attributes"), key, values)
    {
        for (size_t i = 0; rc == 0 && i < json_array_size(values); i++) {
            params[2] = db_text(str_from_cstr(key));
            params[3] = db_text(json_str(json_array_get(values, i)));
            if (params[3].text.n > USER_VALUE_MAX)
                return err_set(err, ERR_INVALID, "an attribute's value has at most %d bytes", USER_VALUE_MAX);
            rc = db_exec(identity_change_conn(c),
                         "INSERT INTO identity_user_attribute (realm_id, user_id, name, value) VALUES ($1, $2, $3, $4)",
                         params, 4, NULL, err);
        }
    }
    return rc;
}

static int write_row(struct identity_change *c, const struct realm *r, const struct row *row, const char *sql,
                     struct err *err)
{
    struct db_value params[] = {
        db_text(r->id),
        db_text(row->id),
        db_text(row->username),
        db_text(row->email),
        db_text(row->first_name),
        db_text(row->last_name),
        db_int(row->enabled),
        db_int(row->email_verified),
        db_int(row->created_ms),
        db_int(row->not_before),
        db_text(row->service_account_of),
        db_text(json_text(identity_change_arena(c), row->doc)),
    };
    int rc = check_unique(c, r, row, err);

    if (rc == 0)
        rc = db_exec(identity_change_conn(c), sql, params, ARRAY_LEN(params), NULL, err);
    return rc < 0 ? rc : write_attributes(c, r, row, err);
}

static int give_groups(struct identity_change *c, const struct realm *r, struct str id, const json_t *rep,
                       bool with_defaults, struct err *err)
{
    const json_t *paths = json_object_get(rep, "groups"), *defaults = json_object_get(r->rep, "$defaultGroups");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(paths); i++) {
        const struct group *g = realm_group_by_path(r, json_str(json_array_get(paths, i)));
        if (!g)
            return err_set(err, ERR_INVALID, "Unable to find group specified by path: %.*s",
                           STR_ARG(json_str(json_array_get(paths, i))));
        rc = user_join_group(c, r, id, g, err);
    }
    for (size_t i = 0; rc == 0 && with_defaults && i < json_array_size(defaults); i++) {
        const struct group *g = realm_group_by_id(r, json_str(json_array_get(defaults, i)));
        if (g)
            rc = user_join_group(c, r, id, g, err);
    }
    return rc;
}

static int give_roles(struct identity_change *c, const struct realm *r, struct str id, const json_t *rep,
                      bool with_defaults, struct err *err)
{
    const json_t *realm_roles = json_object_get(rep, "realmRoles");
    json_t *of_clients = json_object_get(rep, "clientRoles"), *names;
    const char *key;
    int rc = 0;

    if (with_defaults && r->default_role)
        rc = user_add_role(c, r, id, r->default_role, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(realm_roles); i++) {
        const struct role *role = realm_role(r, json_str(json_array_get(realm_roles, i)));
        if (!role)
            return err_set(err, ERR_INVALID, "Unable to find realm role '%.*s' of a user",
                           STR_ARG(json_str(json_array_get(realm_roles, i))));
        rc = user_add_role(c, r, id, role, err);
    }
    json_object_foreach(of_clients, key, names)
    {
        const struct client *client = realm_client(r, str_from_cstr(key));
        for (size_t i = 0; rc == 0 && i < json_array_size(names); i++) {
            const struct role *role = client ? client_role(client, json_str(json_array_get(names, i))) : NULL;
            if (!role)
                return err_set(err, ERR_INVALID, "Unable to find client role mappings for client: %s", key);
            rc = user_add_role(c, r, id, role, err);
        }
    }
    return rc;
}

int user_create(struct identity_change *c, const struct realm *r, const json_t *rep, bool keep_id, struct str *ret_id,
                struct err *err)
{
    JSON_SCOPED json_t *doc = json_object();
    struct arena *a = identity_change_arena(c);
    char id[UUID_TEXT_SIZE];
    struct row row = {.doc = doc, .created_ms = clock_wall_ms()};
    struct str given = json_opt_str(rep, "id", STR_NULL);
    struct str service = json_opt_str(rep, "serviceAccountClientId", STR_NULL);
    int rc;

    if (!keep_id || str_is_null(given)) {
        uuid_v4(id);
        given = str_from_cstr(id);
    }
    if (given.n == 0 || given.n > 64 || !is_text(given))
        return err_set(err, ERR_INVALID, "a user's id should have 1 to 64 characters");
    row.id = arena_str(a, given);
    if (!str_is_null(service)) {
        const struct client *client = realm_client(r, service);
        if (!client)
            return err_set(err, ERR_INVALID, "Unable to find client specified for service account link. Client: %.*s",
                           STR_ARG(service));
        row.service_account_of = client->id;
    }
    rc = merge(a, rep, &row, err);
    if (rc == 0)
        rc = write_row(c, r, &row,
                       "INSERT INTO identity_user (realm_id, id, username, email, first_name, last_name, enabled,"
                       " email_verified, created_ms, not_before, service_account_of, doc)"
                       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                       err);
    if (rc == 0)
        rc = give_roles(c, r, row.id, rep, !keep_id, err);
    if (rc == 0)
        rc = give_groups(c, r, row.id, rep, !keep_id, err);
    if (rc == 0)
        rc = user_store_credentials(c, r, row.id, &row.username, rep, err);
    if (rc == 0 && ret_id)
        *ret_id = row.id;
    return rc;
}

/* Reads the row within the change's transaction. */
static int read_row(struct identity_change *c, const struct realm *r, struct str id, struct row *ret, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(id)};
    struct db_rows rows;
    int rc;

    if (!is_text(id))
        return err_set(err, ERR_NOT_FOUND, "User not found");
    rc = db_query(identity_change_conn(c), identity_change_arena(c),
                  "SELECT " USER_COLUMNS " FROM identity_user u WHERE u.realm_id = $1 AND u.id = $2", params, 2, &rows,
                  err);
    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "User not found");
    *ret = (struct row){
        .id = text_at(&rows, 0, 0),
        .username = text_at(&rows, 0, 1),
        .email = text_at(&rows, 0, 2),
        .first_name = text_at(&rows, 0, 3),
        .last_name = text_at(&rows, 0, 4),
        .enabled = db_at(&rows, 0, 5).i != 0,
        .email_verified = db_at(&rows, 0, 6).i != 0,
        .created_ms = db_at(&rows, 0, 7).i,
        .not_before = db_at(&rows, 0, 8).i,
        .service_account_of = text_at(&rows, 0, 9),
    };
    return json_parse(text_at(&rows, 0, 10), &ret->doc, err);
}

int user_update(struct identity_change *c, const struct realm *r, struct str id, const json_t *rep, struct err *err)
{
    struct row row = {0};
    int rc = read_row(c, r, id, &row, err);

    if (rc == 0)
        rc = merge(identity_change_arena(c), rep, &row, err);
    if (rc == 0)
        rc = write_row(c, r, &row,
                       "UPDATE identity_user SET username = $3, email = $4, first_name = $5, last_name = $6,"
                       " enabled = $7, email_verified = $8, created_ms = $9, not_before = $10,"
                       " service_account_of = $11, doc = $12 WHERE realm_id = $1 AND id = $2",
                       err);
    if (rc == 0)
        rc = user_store_credentials(c, r, id, &row.username, rep, err);
    json_decref(row.doc);
    return rc;
}

int user_delete(struct identity_change *c, const struct realm *r, struct str id, struct err *err)
{
    static const char *const tables[] = {
        "DELETE FROM identity_user_attribute WHERE realm_id = $1 AND user_id = $2",
        "DELETE FROM identity_user_role WHERE realm_id = $1 AND user_id = $2",
        "DELETE FROM identity_user_group WHERE realm_id = $1 AND user_id = $2",
        "DELETE FROM identity_credential WHERE realm_id = $1 AND user_id = $2",
    };
    struct db_value params[] = {db_text(r->id), db_text(id)};
    int64_t changed = 0;
    int rc;

    if (!is_text(id))
        return err_set(err, ERR_NOT_FOUND, "User not found");
    rc = db_exec(identity_change_conn(c), "DELETE FROM identity_user WHERE realm_id = $1 AND id = $2", params, 2,
                 &changed, err);
    if (rc == 0 && changed == 0)
        return err_set(err, ERR_NOT_FOUND, "User not found");
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(tables); i++)
        rc = db_exec(identity_change_conn(c), tables[i], params, 2, NULL, err);
    return rc;
}

int user_remove_required_action(struct identity *i, const struct realm *r, const struct user *u, struct str action,
                                struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = NULL;
    struct row row = {0};
    int rc = identity_change_begin(i, &c, err);

    if (rc == 0)
        rc = read_row(c, r, u->id, &row, err);
    if (rc < 0)
        return rc;
    rep = json_object();
    json_t *actions = json_deep_copy(json_object_get(row.doc, "requiredActions"));
    json_decref(row.doc);
    if (!actions)
        return 0;
    json_array_remove_str(actions, action);
    json_object_set_new(rep, "requiredActions", actions);
    rc = user_update(c, r, u->id, rep, err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}

/* ---- searching ---- */

enum { CONDITIONS_MAX = 64, SEARCH_WORDS_MAX = 8 };

struct conditions {
    struct buf sql;
    struct db_value params[CONDITIONS_MAX];
    size_t n;
    struct arena *arena;
};

/* LIKE's wildcards in the text are characters; '*' is any text where `stars`. */
static struct str like_pattern(struct arena *a, struct str text, bool stars, bool anywhere)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, 4096);
    if (anywhere)
        buf_add_char(&b, '%');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '*' && stars) {
            buf_add_char(&b, '%');
            continue;
        }
        if (strchr("%_!", text.p[i]))
            buf_add_char(&b, '!');
        buf_add_char(&b, text.p[i]);
    }
    if (anywhere)
        buf_add_char(&b, '%');
    return arena_lower(a, buf_str(&b));
}

static int add_param(struct conditions *c, struct db_value v)
{
    if (c->n == CONDITIONS_MAX)
        return CONDITIONS_MAX; /* one condition too many: the last one repeats, nothing is read past the end */
    c->params[c->n++] = v;
    return (int)c->n;
}

static void add_field(struct conditions *c, const char *column, struct str text, bool exact)
{
    if (str_is_null(text))
        return;
    if (exact)
        buf_addf(&c->sql, " AND lower(%s) = $%d", column, add_param(c, db_text(arena_lower(c->arena, text))));
    else
        buf_addf(&c->sql, " AND lower(%s) LIKE $%d ESCAPE '!'", column,
                 add_param(c, db_text(like_pattern(c->arena, text, true, true))));
}

static void add_search_word(struct conditions *c, struct str word)
{
    bool exact = word.n >= 2 && word.p[0] == '"' && word.p[word.n - 1] == '"';
    int n;

    if (exact)
        n = add_param(c, db_text(arena_lower(c->arena, str_slice(word, 1, word.n - 2))));
    else
        n = add_param(c, db_text(like_pattern(c->arena, word, true, true)));
    const char *how = exact ? "=" : "LIKE", *escape = exact ? "" : " ESCAPE '!'";
    buf_addf(&c->sql,
             " AND (lower(u.username) %s $%d%s OR lower(coalesce(u.email, '')) %s $%d%s"
             " OR lower(coalesce(u.first_name, '')) %s $%d%s OR lower(coalesce(u.last_name, '')) %s $%d%s)",
             how, n, escape, how, n, escape, how, n, escape, how, n, escape);
}

static void build_conditions(struct conditions *c, const struct realm *r, const struct user_query *q)
{
    struct str rest = q->search, word;
    size_t words = 0;

    buf_addf(&c->sql, " FROM identity_user u WHERE u.realm_id = $%d", add_param(c, db_text(r->id)));
    if (!q->with_service_accounts)
        buf_add_cstr(&c->sql, " AND u.service_account_of IS NULL");
    if (!str_is_null(rest) && str_trim(rest).n)
        while (words < SEARCH_WORDS_MAX && str_split(&rest, ' ', &word))
            if (word.n) {
                add_search_word(c, word);
                words++;
            }
    add_field(c, "u.username", q->username, q->exact);
    add_field(c, "u.email", q->email, q->exact);
    add_field(c, "u.first_name", q->first_name, q->exact);
    add_field(c, "u.last_name", q->last_name, q->exact);
    if (q->has_enabled)
        buf_addf(&c->sql, " AND u.enabled = $%d", add_param(c, db_int(q->enabled)));
    if (q->has_email_verified)
        buf_addf(&c->sql, " AND u.email_verified = $%d", add_param(c, db_int(q->email_verified)));
    if (!str_is_null(q->group_id))
        buf_addf(
            &c->sql,
            " AND u.id IN (SELECT user_id FROM identity_user_group WHERE realm_id = u.realm_id AND group_id = $%d)",
            add_param(c, db_text(q->group_id)));
    if (!str_is_null(q->role_id))
        buf_addf(&c->sql,
                 " AND u.id IN (SELECT user_id FROM identity_user_role WHERE realm_id = u.realm_id AND role_id = $%d)",
                 add_param(c, db_text(q->role_id)));
    for (size_t i = 0; i < q->attribute_count && i < 16; i++) {
        int name = add_param(c, db_text(q->attribute_names[i]));
        buf_addf(&c->sql,
                 " AND u.id IN (SELECT user_id FROM identity_user_attribute WHERE realm_id = u.realm_id"
                 " AND name = $%d AND lower(value) = $%d)",
                 name, add_param(c, db_text(arena_lower(c->arena, q->attribute_values[i]))));
    }
}

static int run_search(struct identity *i, const struct realm *r, struct arena *a, const struct user_query *q,
                      const char *what, const char *tail, struct db_rows *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    BUF_SCOPED struct buf sql;
    struct conditions c = {.arena = a};
    int rc;

    buf_init(&sql, 64 << 10);
    buf_init(&c.sql, 32 << 10);
    build_conditions(&c, r, q);
    buf_addf(&sql, "SELECT %s%.*s%s", what, STR_ARG(buf_str(&c.sql)), tail);
    buf_release(&c.sql);
    rc = buf_check(&sql, "the search", err);
    if (rc == 0)
        rc = db_acquire(i->db, &conn, err);
    return rc < 0 ? rc : db_query(conn, a, buf_cstr(&sql), c.params, c.n, ret, err);
}

int user_search(struct identity *i, const struct realm *r, struct arena *a, const struct user_query *q,
                struct user **ret, size_t *ret_n, struct err *err)
{
    struct db_rows rows;
    char tail[96];
    int64_t max = q->max < 0 ? DB_ROWS_MAX : q->max, first = q->first > 0 ? q->first : 0;
    int rc;

    snprintf(tail, sizeof(tail), " ORDER BY u.username LIMIT %lld OFFSET %lld", (long long)max, (long long)first);
    rc = run_search(i, r, a, q, USER_COLUMNS, tail, &rows, err);
    if (rc < 0)
        return rc;
    struct user *list = arena_array(a, struct user, rows.row_count);
    for (size_t k = 0; rc == 0 && k < rows.row_count; k++)
        rc = read_user(a, &rows, k, &list[k], err);
    *ret = list;
    *ret_n = rows.row_count;
    return rc;
}

int user_count(struct identity *i, const struct realm *r, const struct user_query *q, int64_t *ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_rows rows;
    int rc = run_search(i, r, &a, q, "count(*)", "", &rows, err);

    if (rc == 0)
        *ret = db_at(&rows, 0, 0).i;
    return rc;
}
