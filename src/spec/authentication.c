/* services.sql.authentication: what has to fit together, and its part of the digest. */
#include "base/hash.h"
#include "base/vec.h"
#include "spec/keys.h"

static const char *const types[] = {"password", "jwt", "oauth2", "certificate"};

static int check_type(const struct spec_texts *list, size_t i, struct err *err)
{
    bool known = false;

    for (size_t k = 0; k < ARRAY_LEN(types); k++)
        known = known || str_eq_cstr(list->items[i], types[k]);
    if (!known)
        return err_set(err, ERR_INVALID,
                       "services.sql.authentication: expected password, jwt, oauth2 and certificate, found \"%.*s\"",
                       STR_ARG(list->items[i]));
    for (size_t k = 0; k < i; k++)
        if (str_eq(list->items[i], list->items[k]))
            return err_set(err, ERR_INVALID, "services.sql.authentication: %.*s stands there twice",
                           STR_ARG(list->items[i]));
    return 0;
}

int spec_authentication_check(const struct spec *s, struct err *err)
{
    const struct spec_authentication *a = &s->authentication;
    const struct spec_authenticator *all[] = {&a->password, &a->jwt, &a->oauth2, &a->certificate};
    int rc = 0;

    for (size_t i = 0; i < a->types.n && rc == 0; i++)
        rc = check_type(&a->types, i, err);
    if (rc == 0 && a->types.n && !s->tls.on && s->proxies.n == 0)
        return err_set(err, ERR_INVALID,
                       "services.sql.authentication: needs tls: on, or trusted-proxies that speak TLS with clients: "
                       "passwords and tokens are not taken over plain HTTP");
    for (size_t i = 0; i < ARRAY_LEN(all) && rc == 0; i++)
        if (!str_is_null(all[i]->user_mapping) && !str_is_null(all[i]->user_mapping_file))
            rc = err_set(err, ERR_INVALID, "services.sql.%s: user-mapping and user-mapping-file can't both be set",
                         types[i]);
    return rc;
}

/* ---- the digest ---- */

static void add_str(struct hash *h, struct str s)
{
    uint64_t n = str_is_null(s) ? UINT64_MAX : s.n;

    hash_update(h, &n, sizeof(n));
    hash_update(h, s.p ? s.p : "", s.n);
}

static void add_texts(struct hash *h, const struct spec_texts *t)
{
    uint64_t n = t->n;

    hash_update(h, &n, sizeof(n));
    for (size_t i = 0; i < t->n; i++)
        add_str(h, t->items[i]);
}

static void add_authenticator(struct hash *h, const struct spec_authenticator *a)
{
    const struct str texts[] = {a->file,      a->user_mapping,      a->user_mapping_file, a->issuer,
                                a->jwks_url,  a->audience,          a->principal_field,   a->groups_field,
                                a->client_id, a->client_secret_file};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        add_str(h, texts[i]);
    add_texts(h, &a->scopes);
    add_texts(h, &a->audiences);
}

void spec_authentication_digest(struct hash *h, const struct spec *s)
{
    const struct spec_authentication *a = &s->authentication;

    add_texts(h, &a->types);
    add_authenticator(h, &a->password);
    add_authenticator(h, &a->jwt);
    add_authenticator(h, &a->oauth2);
    add_authenticator(h, &a->certificate);
}
