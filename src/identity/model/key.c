/*
 * The keys of a realm. Each comes from a key provider, a component whose configuration is Keycloak's: base64 of PKCS#8 and
 * of the certificate for a pair, base64url for a secret. A "*-generated" provider without a key gets one when it is made;
 * the others bring theirs. The key's id is as Keycloak makes it, so that an imported realm's tokens stay valid: base64url
 * of the SHA-256 of the public key (SubjectPublicKeyInfo), and for secrets a UUID of the configuration.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "identity/model/internal.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const struct provider {
    const char *id, *algorithm, *use;
    int type; /* EVP_PKEY_…; 0: a secret */
    bool generated;
    const char *private_key, *public_key, *curve_key; /* of the configuration */
    int64_t secret_size;                              /* bytes, unless configured */
} providers[] = {
    {"rsa-generated", "RS256", "SIG", EVP_PKEY_RSA, true, "privateKey", NULL, NULL, 0},
    {"rsa", "RS256", "SIG", EVP_PKEY_RSA, false, "privateKey", NULL, NULL, 0},
    {"rsa-enc-generated", "RSA-OAEP", "ENC", EVP_PKEY_RSA, true, "privateKey", NULL, NULL, 0},
    {"rsa-enc", "RSA-OAEP", "ENC", EVP_PKEY_RSA, false, "privateKey", NULL, NULL, 0},
    {"ecdsa-generated", "ES256", "SIG", EVP_PKEY_EC, true, "ecdsaPrivateKey", "ecdsaPublicKey", "ecdsaEllipticCurveKey",
     0},
    {"eddsa-generated", "EdDSA", "SIG", EVP_PKEY_ED25519, true, "eddsaPrivateKey", "eddsaPublicKey",
     "eddsaEllipticCurveKey", 0},
    {"ecdh-generated", "ECDH-ES", "ENC", EVP_PKEY_EC, true, "ecdhPrivateKey", "ecdhPublicKey", "ecdhEllipticCurveKey",
     0},
    {"hmac-generated", "HS512", "SIG", 0, true, NULL, NULL, NULL, 64},
    {"aes-generated", "AES", "ENC", 0, true, NULL, NULL, NULL, 16},
};

static const struct {
    const char *curve, *algorithm;
} curves[] = {{"P-256", "ES256"}, {"P-384", "ES384"}, {"P-521", "ES512"}};

static const char key_provider_type[] = "org.keycloak.keys.KeyProvider";

static const struct provider *find_provider(const json_t *component)
{
    struct str id = json_opt_str(component, "providerId", STR(""));

    if (!str_eq_cstr(json_opt_str(component, "providerType", STR("")), key_provider_type))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        if (str_eq_cstr(id, providers[i].id))
            return &providers[i];
    return NULL;
}

static void put_base64(json_t *config, const char *key, const unsigned char *p, int n)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 64 << 10);
    enc_base64(&text, p, (size_t)n);
    json_put_first(config, key, buf_str(&text));
    OPENSSL_cleanse(text.p, text.n);
}

/* The base64 text as PEM; text that is PEM already stays as it is. */
static struct str to_pem(struct arena *a, struct str text, const char *label)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, 64 << 10);
    if (str_starts_with(str_trim(text), STR("-----BEGIN")))
        return text;
    buf_addf(&b, "-----BEGIN %s-----\n", label);
    size_t column = 0;
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] <= ' ')
            continue;
        buf_add_char(&b, text.p[i]);
        if (++column % 64 == 0)
            buf_add_char(&b, '\n');
    }
    buf_addf(&b, "%s-----END %s-----\n", column % 64 ? "\n" : "", label);
    struct str pem = arena_str(a, buf_str(&b));
    OPENSSL_cleanse(b.p, b.n);
    return pem;
}

static EVP_PKEY *read_private(struct str pem)
{
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, (void *)"");

    BIO_free(in);
    return key;
}

static struct str without_spaces(struct arena *a, struct str text)
{
    char *p = arena_alloc(a, text.n);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] > ' ')
            p[n++] = text.p[i];
    return str_from(p, n);
}

/* The key of a configuration: PEM, or base64 of PKCS#8 or, as Keycloak writes RSA keys, of PKCS#1. */
static EVP_PKEY *read_configured(struct str text)
{
    BUF_SCOPED struct buf der = {0};
    ARENA_SCOPED struct arena a = ARENA_INIT;
    EVP_PKEY *key = NULL;

    if (str_starts_with(str_trim(text), STR("-----BEGIN")))
        return read_private(text);
    buf_init(&der, 64 << 10);
    if (enc_unbase64(&der, without_spaces(&a, text), NULL) == 0) {
        const unsigned char *p = (const unsigned char *)der.p;
        key = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
    }
    if (der.n)
        OPENSSL_cleanse(der.p, der.n);
    return key;
}

static void key_id(EVP_PKEY *key, json_t *component)
{
    BUF_SCOPED struct buf text;
    unsigned char *der = NULL, digest[32];
    int n = i2d_PUBKEY(key, &der);

    if (n <= 0)
        abort();
    hash_bytes(HASH_SHA256, str_from((char *)der, (size_t)n), digest);
    OPENSSL_free(der);
    buf_init(&text, 64);
    enc_base64url(&text, digest, sizeof(digest));
    json_put_str(component, "$kid", buf_str(&text));
}

/* As Keycloak's: self-signed, the realm's name as its subject, ten years. */
static int make_certificate(EVP_PKEY *key, json_t *config, struct str realm_name, struct err *err)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    unsigned char *der = NULL;
    int n = 0;
    bool ok = x && name;

    if (ok) {
        ASN1_INTEGER_set_int64(X509_get_serialNumber(x), clock_wall_ms());
        X509_gmtime_adj(X509_getm_notBefore(x), -100);
        X509_time_adj_ex(X509_getm_notAfter(x), 3650, 0, NULL);
        ok = X509_set_pubkey(x, key) &&
             X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)realm_name.p,
                                        (int)(realm_name.n > 64 ? 64 : realm_name.n), -1, 0) &&
             X509_set_subject_name(x, name) && X509_set_issuer_name(x, name) && X509_sign(x, key, EVP_sha256());
    }
    if (ok)
        n = i2d_X509(x, &der);
    if (n > 0)
        put_base64(config, "certificate", der, n);
    OPENSSL_free(der);
    X509_NAME_free(name);
    X509_free(x);
    return n > 0 ? 0 : err_set(err, ERR_INTERNAL, "can't make a certificate for the realm's key");
}

static struct str curve_of(const struct provider *p, const json_t *config)
{
    struct str curve = json_first(config, p->curve_key);

    if (p->type == EVP_PKEY_ED25519)
        return str_is_null(curve) ? STR("Ed25519") : curve;
    return str_is_null(curve) ? STR("P-256") : curve;
}

static EVP_PKEY *generate(const struct provider *p, const json_t *config, struct err *err)
{
    if (p->type == EVP_PKEY_RSA) {
        struct str text = json_first(config, "keySize");
        int64_t bits = 2048;

        if (!str_is_null(text) &&
            (str_to_i64(text, &bits, NULL) < 0 || (bits != 2048 && bits != 3072 && bits != 4096))) {
            err_set(err, ERR_INVALID, "'Key size' should be one of 2048, 3072, 4096");
            return NULL;
        }
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    }

    struct str curve = curve_of(p, config);
    if (p->type == EVP_PKEY_ED25519) {
        if (str_eq(curve, STR("Ed25519")))
            return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        err_set(err, ERR_UNSUPPORTED, "keys on the curve %.*s are not supported: Ed25519 is", STR_ARG(curve));
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (str_eq_cstr(curve, curves[i].curve))
            return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i].curve);
    err_set(err, ERR_INVALID, "'Elliptic Curve' should be one of P-256, P-384, P-521");
    return NULL;
}

static int store_private(const struct provider *p, EVP_PKEY *key, json_t *config, struct err *err)
{
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int n = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, &der) : 0;

    PKCS8_PRIV_KEY_INFO_free(p8);
    if (n <= 0)
        return err_set(err, ERR_INTERNAL, "can't encode a generated key");
    put_base64(config, p->private_key, der, n);
    OPENSSL_cleanse(der, (size_t)n);
    OPENSSL_free(der);
    return 0;
}

static int store_generated(const struct provider *p, EVP_PKEY *key, json_t *config, struct str realm_name,
                           struct err *err)
{
    int n, rc = store_private(p, key, config, err);

    if (rc < 0)
        return rc;
    if (p->public_key) {
        unsigned char *public_der = NULL;
        n = i2d_PUBKEY(key, &public_der);
        if (n > 0)
            put_base64(config, p->public_key, public_der, n);
        OPENSSL_free(public_der);
    }
    return p->type == EVP_PKEY_RSA ? make_certificate(key, config, realm_name, err) : 0;
}

static int complete_secret(const struct provider *p, json_t *config, struct err *err)
{
    BUF_SCOPED struct buf text;
    unsigned char secret[512];
    struct str size_text = json_first(config, "secretSize");
    int64_t size = p->secret_size;
    char kid[UUID_TEXT_SIZE];

    buf_init(&text, 1024);
    if (!str_is_null(size_text) && (str_to_i64(size_text, &size, NULL) < 0 || size < 16 || size > 512))
        return err_set(err, ERR_INVALID, "'Secret size' should be a number of bytes from 16 to 512");
    if (str_is_null(json_first(config, "kid"))) {
        uuid_v4(kid);
        json_put_first(config, "kid", str_from_cstr(kid));
    }
    if (!str_is_null(json_first(config, "secret"))) {
        if (enc_unbase64url(&text, json_first(config, "secret"), NULL) < 0 || text.n < 14)
            return err_set(err, ERR_INVALID, "'secret' should be 14 bytes or more in base64url");
        return 0;
    }
    rand_bytes(secret, (size_t)size);
    enc_base64url(&text, secret, (size_t)size);
    OPENSSL_cleanse(secret, sizeof(secret));
    json_put_first(config, "secret", buf_str(&text));
    return 0;
}

int key_provider_complete(json_t *component, struct str realm_name, struct err *err)
{
    const struct provider *p = find_provider(component);
    json_t *config = json_object_get(component, "config");
    struct str priority = json_first(config, "priority");
    int64_t number;
    EVP_PKEY *key;
    int rc = 0;

    if (!p)
        return err_set(err, ERR_UNSUPPORTED, "the key provider '%.*s' is not supported",
                       STR_ARG(json_opt_str(component, "providerId", STR(""))));
    if (!json_is_object(config)) {
        config = json_object();
        json_object_set_new(component, "config", config);
    }
    if (!str_is_null(priority) && priority.n && str_to_i64(priority, &number, NULL) < 0)
        return err_set(err, ERR_INVALID, "'Priority' should be a number");
    if (p->type == 0)
        return complete_secret(p, config, err);

    struct str text = json_first(config, p->private_key);
    if (!str_is_null(text) && text.n) {
        key = read_configured(text);
        if (!key || EVP_PKEY_get_base_id(key) != p->type)
            rc = err_set(err, ERR_INVALID, "Failed to decode private key");
        else
            rc = store_private(p, key, config, err); /* in one form, whichever it came in */
    } else if (p->generated) {
        key = generate(p, config, err);
        rc = key ? store_generated(p, key, config, realm_name, err) : err ? err->code : ERR_INVALID;
    } else {
        return err_set(err, ERR_INVALID, "'Private RSA Key' is required");
    }
    if (rc == 0 && p->type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < 2048)
        rc = err_set(err, ERR_INVALID, "the private key should have 2048 bits or more");
    if (rc == 0)
        key_id(key, component);
    if (rc == 0 && p->type == EVP_PKEY_RSA && str_is_null(json_first(config, "certificate")))
        rc = make_certificate(key, config, realm_name, err);
    EVP_PKEY_free(key);
    return rc;
}

static bool is_off(const json_t *config, const char *key)
{
    return str_eq(json_first(config, key), STR("false"));
}

static struct str algorithm_of(const struct provider *p, const json_t *config)
{
    struct str algorithm = json_first(config, "algorithm");

    if (p->type == EVP_PKEY_EC && str_eq_cstr(str_from_cstr(p->use), "SIG")) {
        struct str curve = curve_of(p, config);
        for (size_t i = 0; i < ARRAY_LEN(curves); i++)
            if (str_eq_cstr(curve, curves[i].curve))
                return str_from_cstr(curves[i].algorithm);
    }
    return str_is_null(algorithm) || p->type == EVP_PKEY_ED25519 ? str_from_cstr(p->algorithm) : algorithm;
}

bool key_from_component(struct arena *a, const json_t *component, struct realm_key *ret)
{
    const struct provider *p = find_provider(component);
    const json_t *config = json_object_get(component, "config");
    struct str priority = json_first(config, "priority"), use = json_first(config, "keyUse");
    BUF_SCOPED struct buf secret;

    buf_init(&secret, 1024);
    if (!p)
        return false;
    *ret = (struct realm_key){
        .provider_id = json_opt_str(component, "id", STR("")),
        .kid = p->type ? json_opt_str(component, "$kid", STR("")) : json_first(config, "kid"),
        .algorithm = algorithm_of(p, config),
        .use = str_is_null(use) || use.n == 0   ? str_from_cstr(p->use)
               : str_eq_nocase(use, STR("enc")) ? STR("ENC")
                                                : STR("SIG"),
        .status = is_off(config, "enabled")  ? REALM_KEY_DISABLED
                  : is_off(config, "active") ? REALM_KEY_PASSIVE
                                             : REALM_KEY_ACTIVE,
    };
    if (str_to_i64(priority, &ret->priority, NULL) < 0)
        ret->priority = 0;
    if (p->type) {
        struct str certificate = json_first(config, "certificate");
        ret->private_pem = to_pem(a, json_first(config, p->private_key), "PRIVATE KEY");
        if (!str_is_null(certificate))
            ret->certificate_pem = to_pem(a, certificate, "CERTIFICATE");
        return true;
    }
    if (enc_unbase64url(&secret, json_first(config, "secret"), NULL) < 0)
        return false;
    ret->secret = arena_str(a, buf_str(&secret));
    OPENSSL_cleanse(secret.p, secret.n);
    return true;
}

/* ---- as the admin API shows them ---- */

static struct str base64_of(struct arena *a, const unsigned char *p, int n)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 64 << 10);
    enc_base64(&text, p, (size_t)n);
    return arena_str(a, buf_str(&text));
}

static void show_public(struct arena *a, const struct realm_key *k, json_t *rep)
{
    EVP_PKEY *key = read_private(k->private_pem);
    unsigned char *der = NULL;
    int n = key ? i2d_PUBKEY(key, &der) : 0;

    if (n > 0)
        json_put_str(rep, "publicKey", base64_of(a, der, n));
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

static void show_certificate(struct arena *a, const struct realm_key *k, json_t *rep, int64_t *ret_valid_to_ms)
{
    BIO *in = BIO_new_mem_buf(k->certificate_pem.p, (int)k->certificate_pem.n);
    X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int n = x ? i2d_X509(x, &der) : 0, days, seconds;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);

    if (n > 0)
        json_put_str(rep, "certificate", base64_of(a, der, n));
    if (x && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(x)))
        *ret_valid_to_ms = ((int64_t)days * 86400 + seconds) * 1000;
    ASN1_TIME_free(epoch);
    OPENSSL_free(der);
    X509_free(x);
    BIO_free(in);
}

static const char *type_of(const struct realm_key *k)
{
    struct str a = k->algorithm;

    if (k->secret.p)
        return "OCT";
    if (str_eq(a, STR("EdDSA")))
        return "OKP";
    return str_starts_with(a, STR("ES")) || str_starts_with(a, STR("ECDH")) ? "EC" : "RSA";
}

json_t *realm_keys_rep(const struct realm *r)
{
    static const char *const states[] = {"ACTIVE", "PASSIVE", "DISABLED"};
    ARENA_SCOPED struct arena a = ARENA_INIT;
    json_t *active = json_object(), *list = json_array(), *rep = json_object();

    for (size_t i = 0; i < r->key_count; i++) {
        const struct realm_key *k = &r->keys[i];
        json_t *one = json_object();
        int64_t valid_to = 0;
        json_put_str(one, "providerId", k->provider_id);
        json_object_set_new(one, "providerPriority", json_integer(k->priority));
        json_put_str(one, "kid", k->kid);
        json_object_set_new(one, "status", json_string(states[k->status]));
        json_object_set_new(one, "type", json_string(type_of(k)));
        json_put_str(one, "algorithm", k->algorithm);
        if (k->private_pem.p)
            show_public(&a, k, one);
        if (k->certificate_pem.p)
            show_certificate(&a, k, one, &valid_to);
        json_put_str(one, "use", k->use);
        if (valid_to)
            json_object_set_new(one, "validTo", json_integer(valid_to));
        json_array_append_new(list, one);
        if (k->status == REALM_KEY_ACTIVE && !json_object_get(active, arena_cstr(&a, k->algorithm)))
            json_put_str(active, arena_cstr(&a, k->algorithm), k->kid);
    }
    json_object_set_new(rep, "active", active);
    json_object_set_new(rep, "keys", list);
    return rep;
}
