/*
 * What users prove themselves with: passwords and one-time codes, as rows with Keycloak's secretData and credentialData.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "identity/model/internal.h"
#include "identity/model/policy.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { PASSWORD_MAX = 4096, CREDENTIALS_MAX = 64, LABEL_MAX = 255 };

struct credential_row {
    struct str id, type, label;
    int64_t created_ms, priority, last_step;
    struct str secret_data, credential_data;
};

static int read_rows(struct db_conn *conn, struct arena *a, const struct realm *r, struct str user_id,
                     struct db_rows *ret, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(user_id)};

    return db_query(conn, a,
                    "SELECT id, type, label, created_ms, priority, secret_data, credential_data, last_step"
                    " FROM identity_credential WHERE realm_id = $1 AND user_id = $2 ORDER BY priority, created_ms, id",
                    params, 2, ret, err);
}

static struct credential_row row_at(const struct db_rows *rows, size_t i)
{
    return (struct credential_row){
        .id = db_at(rows, i, 0).text,
        .type = db_at(rows, i, 1).text,
        .label = db_at(rows, i, 2).type == DB_NULL ? STR_NULL : db_at(rows, i, 2).text,
        .created_ms = db_at(rows, i, 3).i,
        .priority = db_at(rows, i, 4).i,
        .secret_data = db_at(rows, i, 5).text,
        .credential_data = db_at(rows, i, 6).text,
        .last_step = db_at(rows, i, 7).i,
    };
}

static int read_own(struct identity *i, struct arena *a, const struct realm *r, struct str user_id, struct db_rows *ret,
                    struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = db_acquire(i->db, &conn, err);

    return rc < 0 ? rc : read_rows(conn, a, r, user_id, ret, err);
}

int user_credentials(struct identity *i, const struct realm *r, struct arena *a, struct str user_id,
                     struct user_credential **ret, size_t *ret_n, struct err *err)
{
    struct db_rows rows;
    int rc = read_own(i, a, r, user_id, &rows, err);
    size_t n = 0;

    if (rc < 0)
        return rc;
    struct user_credential *list = arena_array(a, struct user_credential, rows.row_count);
    for (size_t k = 0; k < rows.row_count; k++) {
        struct credential_row row = row_at(&rows, k);
        if (str_eq(row.type, STR("password-history")))
            continue;
        list[n++] = (struct user_credential){row.id,         row.type, row.label, row.created_ms, row.credential_data,
                                             row.secret_data};
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

static int insert(struct identity_change *c, const struct realm *r, struct str user_id,
                  const struct credential_row *row, struct err *err)
{
    struct db_value params[] = {
        db_text(r->id),         db_text(user_id),          db_text(row->id),
        db_text(row->type),     db_text(row->label),       db_int(row->created_ms),
        db_int(row->priority),  db_text(row->secret_data), db_text(row->credential_data),
        db_int(row->last_step),
    };

    return db_exec(identity_change_conn(c),
                   "INSERT INTO identity_credential (realm_id, user_id, id, type, label, created_ms, priority,"
                   " secret_data, credential_data, last_step) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                   params, ARRAY_LEN(params), NULL, err);
}

static struct str new_id(struct arena *a)
{
    char id[UUID_TEXT_SIZE];

    uuid_v4(id);
    return arena_str(a, str_from_cstr(id));
}

int user_delete_credential(struct identity_change *c, const struct realm *r, struct str user_id, struct str id,
                           struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(user_id), db_text(id)};
    int64_t changed = 0;
    int rc = db_exec(identity_change_conn(c),
                     "DELETE FROM identity_credential WHERE realm_id = $1 AND user_id = $2 AND id = $3", params, 3,
                     &changed, err);

    return rc == 0 && changed == 0 ? err_set(err, ERR_NOT_FOUND, "Credential not found") : rc;
}

int user_label_credential(struct identity_change *c, const struct realm *r, struct str user_id, struct str id,
                          struct str label, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(user_id), db_text(id), db_text(label)};
    int64_t changed = 0;
    int rc;

    if (label.n > LABEL_MAX)
        return err_set(err, ERR_INVALID, "a label has at most %d bytes", LABEL_MAX);
    rc = db_exec(identity_change_conn(c),
                 "UPDATE identity_credential SET label = $4 WHERE realm_id = $1 AND user_id = $2 AND id = $3", params,
                 4, &changed, err);
    return rc == 0 && changed == 0 ? err_set(err, ERR_NOT_FOUND, "Credential not found") : rc;
}

/* ---- passwords ---- */

static int check_size(struct str password, struct err *err)
{
    if (password.n > PASSWORD_MAX)
        return err_set_named(err, ERR_INVALID, "invalidPasswordMaxLengthMessage",
                             "Invalid password: maximum length %d.", PASSWORD_MAX);
    return 0;
}

static int set_type(struct identity_change *c, const struct realm *r, struct str user_id, struct str id,
                    struct str type, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(user_id), db_text(id), db_text(type)};

    return db_exec(identity_change_conn(c),
                   "UPDATE identity_credential SET type = $4 WHERE realm_id = $1 AND user_id = $2 AND id = $3", params,
                   4, NULL, err);
}

/* Puts the present password among the old ones, of which `keep` stay; refuses one that was used before. */
static int turn_history(struct identity_change *c, const struct realm *r, struct str user_id, struct str password,
                        int64_t keep, bool check, struct err *err)
{
    struct arena *a = identity_change_arena(c);
    struct db_rows rows;
    int64_t kept = 0;
    int rc = read_rows(identity_change_conn(c), a, r, user_id, &rows, err);

    /* The newest first: rows come by age. */
    for (size_t i = rows.row_count; rc == 0 && i-- > 0;) {
        struct credential_row row = row_at(&rows, i);
        bool is_present = str_eq(row.type, STR("password")), is_old;
        if (!is_present && !str_eq(row.type, STR("password-history")))
            continue;
        if (++kept > keep) {
            rc = user_delete_credential(c, r, user_id, row.id, err);
            continue;
        }
        if (check && password_verify(password, row.secret_data, row.credential_data, &is_old, NULL) == 0)
            return err_set_named(err, ERR_INVALID, "invalidPasswordHistoryMessage",
                                 "Invalid password: must not be equal to any of last %lld passwords.", (long long)keep);
        if (is_present)
            rc = set_type(c, r, user_id, row.id, STR("password-history"), err);
    }
    return rc;
}

static int store_password(struct identity_change *c, const struct realm *r, struct str user_id, struct str username,
                          struct str email, struct str password, struct err *err)
{
    struct arena *a = identity_change_arena(c);
    struct password_policy policy;
    struct credential_row row = {
        .type = STR("password"), .created_ms = clock_wall_ms(), .priority = 10, .last_step = -1};
    int rc = check_size(password, err);

    if (rc == 0)
        rc = password_policy_parse(json_opt_str(r->rep, "passwordPolicy", STR("")), &policy, err);
    if (rc == 0)
        rc = password_policy_check(&policy, a, password, username, email, err);
    if (rc == 0)
        rc = turn_history(c, r, user_id, password, policy.history, policy.history > 0, err);
    if (rc < 0)
        return rc;
    row.id = new_id(a);
    password_hash(a, password, &row.secret_data, &row.credential_data);
    return insert(c, r, user_id, &row, err);
}

int user_change_password(struct identity_change *c, const struct realm *r, const struct user *u, struct str password,
                         bool temporary, struct err *err)
{
    JSON_SCOPED json_t *rep = json_object();
    int rc = store_password(c, r, u->id, u->username, u->email, password, err);

    if (rc < 0)
        return rc;
    /* As Keycloak: a temporary one has to be changed, a lasting one no longer. */
    json_t *actions = json_object_get(u->rep, "requiredActions");
    actions = json_is_array(actions) ? json_deep_copy(actions) : json_array();
    json_array_remove_str(actions, STR("UPDATE_PASSWORD"));
    if (temporary)
        json_array_append_new(actions, json_string("UPDATE_PASSWORD"));
    json_object_set_new(rep, "requiredActions", actions);
    return user_update(c, r, u->id, rep, err);
}

int user_set_password(struct identity *i, const struct realm *r, const struct user *u, struct str password,
                      bool temporary, struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    int rc = identity_change_begin(i, &c, err);

    if (rc == 0)
        rc = user_change_password(c, r, u, password, temporary, err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}

/* A better hash for a password that was right; its failure is nothing to the user. */
static void rehash(struct identity *i, const struct realm *r, const struct user *u, struct str id, struct str password)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str secret_data, credential_data;

    password_hash(&a, password, &secret_data, &credential_data);
    struct db_value params[] = {db_text(r->id), db_text(u->id), db_text(id), db_text(secret_data),
                                db_text(credential_data)};
    if (db_acquire(i->db, &conn, NULL) < 0 ||
        db_exec(conn,
                "UPDATE identity_credential SET secret_data = $4, credential_data = $5"
                " WHERE realm_id = $1 AND user_id = $2 AND id = $3",
                params, 5, NULL, NULL) < 0)
        return;
}

int user_check_password(struct identity *i, const struct realm *r, const struct user *u, struct str password,
                        struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_rows rows = {0};
    int rc;

    if (password.n > PASSWORD_MAX)
        return err_set(err, ERR_DENIED, "Invalid user credentials");
    rc = u ? read_own(i, &a, r, u->id, &rows, err) : 0;
    if (rc < 0)
        return rc;
    for (size_t k = 0; k < rows.row_count; k++) {
        struct credential_row row = row_at(&rows, k);
        bool is_old;
        if (!str_eq(row.type, STR("password")))
            continue;
        rc = password_verify(password, row.secret_data, row.credential_data, &is_old, err);
        if (rc == 0 && is_old)
            rehash(i, r, u, row.id, password);
        return rc;
    }
    password_waste(password);
    return err_set(err, ERR_DENIED, "Invalid user credentials");
}

/* ---- representations ---- */

static int store_one(struct identity_change *c, const struct realm *r, struct str user_id, struct str username,
                     struct str email, const json_t *rep, struct err *err)
{
    struct arena *a = identity_change_arena(c);
    struct credential_row row = {
        .id = json_opt_str(rep, "id", STR_NULL),
        .type = json_opt_str(rep, "type", STR("password")),
        .label = json_opt_str(rep, "userLabel", STR_NULL),
        .created_ms = json_opt_i64(rep, "createdDate", clock_wall_ms()),
        .priority = json_opt_i64(rep, "priority", 10),
        .last_step = -1,
        .secret_data = json_opt_str(rep, "secretData", STR_NULL),
        .credential_data = json_opt_str(rep, "credentialData", STR_NULL),
    };
    struct str value = json_opt_str(rep, "value", STR_NULL);

    if (!str_is_null(value)) {
        if (!str_eq(row.type, STR("password")))
            return err_set(err, ERR_UNSUPPORTED, "a credential of type '%.*s' can't be made from a value",
                           STR_ARG(row.type));
        return store_password(c, r, user_id, username, email, value, err);
    }
    if (str_is_null(row.secret_data) || str_is_null(row.credential_data))
        return err_set(err, ERR_INVALID, "a credential should have 'value', or 'secretData' and 'credentialData'");
    if (row.secret_data.n > USER_VALUE_MAX || row.credential_data.n > USER_VALUE_MAX || row.type.n > 255 ||
        row.label.n > LABEL_MAX || row.id.n > 64)
        return err_set(err, ERR_INVALID, "a credential's members are too long");
    if (row.id.n == 0)
        row.id = new_id(a);
    int rc = 0;
    if (str_eq(row.type, STR("password")))
        rc = turn_history(c, r, user_id, STR(""), 0, false, err);
    return rc < 0 ? rc : insert(c, r, user_id, &row, err);
}

int user_store_credentials(struct identity_change *c, const struct realm *r, struct str user_id,
                           const struct str *username, const json_t *rep, struct err *err)
{
    const json_t *list = json_object_get(rep, "credentials");
    int rc = 0;

    if (json_array_size(list) > CREDENTIALS_MAX)
        return err_set(err, ERR_INVALID, "a user has at most %d credentials", CREDENTIALS_MAX);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        rc = store_one(c, r, user_id, *username, json_opt_str(rep, "email", STR("")), one, err);
        if (rc == 0 && json_opt_bool(one, "temporary", false)) {
            JSON_SCOPED json_t *action = json_pack("{s:[s]}", "requiredActions", "UPDATE_PASSWORD");
            rc = user_update(c, r, user_id, action, err);
        }
    }
    return rc;
}

/* ---- one-time codes: RFC 4226 and 6238 ---- */

enum { OTP_WINDOW_MAX = 20 };

static bool base32(struct str text, unsigned char *out, size_t max, size_t *ret_n)
{
    uint32_t bits = 0;
    int count = 0;
    size_t n = 0;

    for (size_t i = 0; i < text.n && text.p[i] != '='; i++) {
        char c = text.p[i];
        int v = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a'
                : c >= '2' && c <= '7' ? c - '2' + 26
                                       : -1;
        if (v < 0)
            return false;
        bits = bits << 5 | (uint32_t)v;
        count += 5;
        if (count >= 8) {
            count -= 8;
            if (n == max)
                return false;
            out[n++] = (unsigned char)(bits >> count);
        }
    }
    *ret_n = n;
    return true;
}

static bool is_code(const json_t *data, const unsigned char *key, size_t key_n, int64_t counter, struct str code)
{
    static const uint32_t powers[] = {1000000, 10000000, 100000000};
    struct str algorithm = json_opt_str(data, "algorithm", STR("HmacSHA1"));
    int64_t digits = json_opt_i64(data, "digits", 6);
    const EVP_MD *digest = str_eq(algorithm, STR("HmacSHA256"))   ? EVP_sha256()
                           : str_eq(algorithm, STR("HmacSHA512")) ? EVP_sha512()
                                                                  : EVP_sha1();
    unsigned char message[8], mac[EVP_MAX_MD_SIZE];
    unsigned int mac_n = 0;
    char text[16];

    if (digits < 6 || digits > 8)
        return false;
    for (int i = 0; i < 8; i++)
        message[i] = (unsigned char)((uint64_t)counter >> (56 - 8 * i));
    if (!HMAC(digest, key, (int)key_n, message, sizeof(message), mac, &mac_n))
        return false;
    unsigned at = mac[mac_n - 1] & 15;
    uint32_t value = (uint32_t)(mac[at] & 127) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 |
                     (uint32_t)mac[at + 3];
    snprintf(text, sizeof(text), "%0*u", (int)digits, value % powers[digits - 6]);
    return str_eq_secret(str_from_cstr(text), code);
}

/* Takes the step, so that its code is worth nothing afterwards; false when another request was faster. */
static int take_step(struct identity *i, const struct realm *r, const struct user *u, struct str id, int64_t step,
                     bool reusable, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_text(r->id), db_text(u->id), db_text(id), db_int(step)};
    int64_t changed = 0;
    int rc;

    if (reusable)
        return 0;
    rc = db_acquire(i->db, &conn, err);
    if (rc == 0)
        rc = db_exec(conn,
                     "UPDATE identity_credential SET last_step = $4"
                     " WHERE realm_id = $1 AND user_id = $2 AND id = $3 AND last_step < $4",
                     params, 4, &changed, err);
    if (rc == 0 && changed == 0)
        return err_set(err, ERR_DENIED, "Invalid authenticator code.");
    return rc;
}

static int check_code(struct identity *i, const struct realm *r, const struct user *u, const struct credential_row *row,
                      struct str code, int64_t now_ms, struct err *err)
{
    JSON_SCOPED json_t *secret = NULL, *data = NULL;
    unsigned char key[256];
    size_t key_n;
    int64_t window = json_opt_i64(r->rep, "otpPolicyLookAheadWindow", 1), from, to;
    bool reusable = json_opt_bool(r->rep, "otpPolicyCodeReusable", false);
    int rc = json_parse(row->secret_data, &secret, err);

    if (rc == 0)
        rc = json_parse(row->credential_data, &data, err);
    if (rc < 0)
        return rc;
    struct str value = json_opt_str(secret, "value", STR(""));
    if (str_eq_nocase(json_opt_str(data, "secretEncoding", STR("")), STR("BASE32"))) {
        if (!base32(value, key, sizeof(key), &key_n))
            return err_set(err, ERR_CORRUPT, "the stored one-time code secret is no base32");
    } else {
        key_n = value.n < sizeof(key) ? value.n : sizeof(key);
        memcpy(key, value.p, key_n);
    }
    if (window < 0 || window > OTP_WINDOW_MAX)
        window = 1;
    bool is_totp = !str_eq(json_opt_str(data, "subType", STR("totp")), STR("hotp"));
    if (is_totp) {
        int64_t period = json_opt_i64(data, "period", 30);
        int64_t now = now_ms / 1000 / (period > 0 ? period : 30);
        from = now - window;
        to = now + window;
    } else {
        from = json_opt_i64(data, "counter", 0);
        from = from > row->last_step ? from : row->last_step + 1;
        to = from + window;
        reusable = false;
    }
    rc = err_set(err, ERR_DENIED, "Invalid authenticator code.");
    for (int64_t step = from; step <= to; step++)
        if (is_code(data, key, key_n, step, code)) {
            rc = take_step(i, r, u, row->id, step, reusable, err);
            if (rc != ERR_DENIED)
                break;
        }
    OPENSSL_cleanse(key, sizeof(key));
    return rc;
}

int user_has_otp(struct identity *i, const struct realm *r, const struct user *u, bool *ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_rows rows;
    int rc = read_own(i, &a, r, u->id, &rows, err);

    if (rc < 0)
        return rc;
    *ret = false;
    for (size_t k = 0; k < rows.row_count; k++)
        if (str_eq(row_at(&rows, k).type, STR("otp")))
            *ret = true;
    return 0;
}

int user_check_otp(struct identity *i, const struct realm *r, const struct user *u, struct str code, int64_t now_ms,
                   struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_rows rows;
    bool has = false;
    int rc = read_own(i, &a, r, u->id, &rows, err);

    if (rc < 0)
        return rc;
    for (size_t k = 0; k < rows.row_count; k++) {
        struct credential_row row = row_at(&rows, k);
        if (!str_eq(row.type, STR("otp")))
            continue;
        has = true;
        rc = check_code(i, r, u, &row, code, now_ms, err);
        if (rc != ERR_DENIED)
            return rc;
    }
    return has ? rc : err_set(err, ERR_NOT_FOUND, "the user has no authenticator");
}

int user_add_otp(struct identity *i, const struct realm *r, const struct user *u, struct str secret, struct str label,
                 struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    struct credential_row row = {
        .type = STR("otp"), .label = label, .created_ms = clock_wall_ms(), .priority = 20, .last_step = -1};
    JSON_SCOPED json_t *secret_data = json_object(), *data = json_object();
    int rc;

    if (secret.n < 16 || secret.n > 128 || !str_is_utf8(secret) || label.n > LABEL_MAX)
        return err_set(err, ERR_INVALID, "an authenticator's secret should be text of 16 to 128 bytes");
    json_put_str(secret_data, "value", secret);
    json_put_str(data, "subType", json_opt_str(r->rep, "otpPolicyType", STR("totp")));
    json_object_set_new(data, "digits", json_integer(json_opt_i64(r->rep, "otpPolicyDigits", 6)));
    json_object_set_new(data, "counter", json_integer(json_opt_i64(r->rep, "otpPolicyInitialCounter", 0)));
    json_object_set_new(data, "period", json_integer(json_opt_i64(r->rep, "otpPolicyPeriod", 30)));
    json_put_str(data, "algorithm", json_opt_str(r->rep, "otpPolicyAlgorithm", STR("HmacSHA1")));
    rc = identity_change_begin(i, &c, err);
    if (rc < 0)
        return rc;
    struct arena *a = identity_change_arena(c);
    row.id = new_id(a);
    row.secret_data = json_text(a, secret_data);
    row.credential_data = json_text(a, data);
    rc = insert(c, r, u->id, &row, err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}
