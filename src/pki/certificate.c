/* X.509 certificates over libcrypto. RFC 5280 says what is in one; the lifetimes are browsers' limits. */
#include "pki/pki.h"

#include "base/clock.h"
#include "base/rand.h"
#include "os/file.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum { FILE_MAX = 1 << 20, SERIAL_BYTES = 16, SKEW_S = 3600, DAY_S = 24 * 3600 };

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static void free_bio(BIO **bio)
{
    BIO_free_all(*bio);
}

#define KEY_SCOPED __attribute__((cleanup(free_key)))
#define CERTIFICATE_SCOPED __attribute__((cleanup(free_certificate)))
#define BIO_SCOPED __attribute__((cleanup(free_bio)))

/* libcrypto's queue holds why; nothing of it may be left for the next caller. */
static int fail(struct err *err, int code, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return err_set(err, code, "%s%s%s", what, why ? ": " : "", why ? why : "");
}

/* ---- reading ---- */

/* There is nobody to ask for a password. */
static int no_password(char *to, int size, int writing, void *ctx)
{
    (void)to, (void)size, (void)writing, (void)ctx;
    return -1;
}

static int read_file(const char *file, struct buf *text, struct err *err)
{
    buf_init(text, FILE_MAX);
    return file_read(file, text, err);
}

static int read_certificate(const char *file, X509 **ret, struct err *err)
{
    BUF_SCOPED struct buf text = {0};
    int rc = read_file(file, &text, err);

    if (rc < 0)
        return rc;
    BIO_SCOPED BIO *bio = BIO_new_mem_buf(text.p ? text.p : "", (int)text.n);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    if (!certificate) {
        rc = fail(err, ERR_INVALID, "expected a certificate in PEM form");
        return err ? err_prefix(err, "%s", file) : rc;
    }
    *ret = certificate;
    return 0;
}

static int read_key(const char *file, EVP_PKEY **ret, struct err *err)
{
    BUF_SCOPED struct buf text = {0};
    int rc = read_file(file, &text, err);

    if (rc < 0)
        return rc;
    BIO_SCOPED BIO *bio = BIO_new_mem_buf(text.p ? text.p : "", (int)text.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    if (text.p)
        explicit_bzero(text.p, text.cap);
    if (!key) {
        rc = fail(err, ERR_INVALID, "expected a private key in PEM form, without password");
        return err ? err_prefix(err, "%s", file) : rc;
    }
    *ret = key;
    return 0;
}

static int64_t time_ms(const ASN1_TIME *t)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;

    if (epoch)
        (void)!ASN1_TIME_diff(&days, &seconds, epoch, t);
    ASN1_TIME_free(epoch);
    return ((int64_t)days * DAY_S + seconds) * 1000;
}

int pki_read(struct arena *a, const char *file, struct pki_certificate *ret, struct err *err)
{
    CERTIFICATE_SCOPED X509 *certificate = NULL;
    char subject[512] = "";
    int rc = read_certificate(file, &certificate, err);

    if (rc < 0)
        return rc;
    BIO_SCOPED BIO *bio = BIO_new(BIO_s_mem());
    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
        int n = BIO_read(bio, subject, sizeof(subject) - 1);
        subject[n > 0 ? n : 0] = '\0';
    }
    GENERAL_NAMES *hosts = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    *ret = (struct pki_certificate){
        .not_before_ms = time_ms(X509_get0_notBefore(certificate)),
        .not_after_ms = time_ms(X509_get0_notAfter(certificate)),
        .subject = arena_str(a, str_from_cstr(subject)),
        .host_count = hosts ? (size_t)sk_GENERAL_NAME_num(hosts) : 0,
    };
    GENERAL_NAMES_free(hosts);
    ERR_clear_error();
    return 0;
}

static bool is_address(const char *text)
{
    unsigned char ignored[16];

    return inet_pton(AF_INET, text, ignored) == 1 || inet_pton(AF_INET6, text, ignored) == 1;
}

int pki_check_host(const char *file, struct str host, struct err *err)
{
    CERTIFICATE_SCOPED X509 *certificate = NULL;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const char *text = arena_cstr(&a, host);
    int rc = read_certificate(file, &certificate, err);

    if (rc < 0)
        return rc;
    int good = is_address(text) ? X509_check_ip_asc(certificate, text, 0)
                                : X509_check_host(certificate, text, host.n, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);
    if (good != 1)
        return err_set(err, ERR_INVALID, "%s: the certificate is not for %s", file, text);
    return 0;
}

int pki_check_issuer(const char *file, const char *ca_file, struct err *err)
{
    CERTIFICATE_SCOPED X509 *certificate = NULL, *ca = NULL;
    int rc = read_certificate(file, &certificate, err);

    if (rc < 0 || (rc = read_certificate(ca_file, &ca, err)) < 0)
        return rc;
    bool good = X509_check_issued(ca, certificate) == X509_V_OK && X509_verify(certificate, X509_get0_pubkey(ca)) == 1;
    ERR_clear_error();
    if (!good)
        return err_set(err, ERR_INVALID, "%s: the certificate is not of the CA in %s", file, ca_file);
    return 0;
}

int pki_check_key(const char *file, const char *key_file, struct err *err)
{
    CERTIFICATE_SCOPED X509 *certificate = NULL;
    KEY_SCOPED EVP_PKEY *key = NULL;
    int rc = read_certificate(file, &certificate, err);

    if (rc < 0 || (rc = read_key(key_file, &key, err)) < 0)
        return rc;
    bool good = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    if (!good)
        return err_set(err, ERR_INVALID, "the key in %s is not that of the certificate in %s", key_file, file);
    return 0;
}

/* ---- making ---- */

static int add_extension(X509 *to, X509 *issuer, int nid, const char *value, struct err *err)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, to, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    int ok = extension && X509_add_ext(to, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok ? 0 : fail(err, ERR_INTERNAL, "cannot add an extension to a certificate");
}

/* Through libcrypto's types, not its text form: a host of the spec's is no syntax. */
static int add_hosts(X509 *to, const struct pki_request *q, struct err *err)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names != NULL;

    for (size_t i = 0; i < q->host_count && ok; i++) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        const char *host = arena_cstr(&a, q->hosts[i]);
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_OCTET_STRING *address = is_address(host) ? a2i_IPADDRESS(host) : NULL;
        ASN1_IA5STRING *dns = address ? NULL : ASN1_IA5STRING_new();

        ok = name && (address || (dns && ASN1_STRING_set(dns, host, -1) == 1)) && sk_GENERAL_NAME_push(names, name) > 0;
        if (!ok) {
            GENERAL_NAME_free(name);
            ASN1_OCTET_STRING_free(address);
            ASN1_IA5STRING_free(dns);
        } else if (address) {
            GENERAL_NAME_set0_value(name, GEN_IPADD, address);
        } else {
            GENERAL_NAME_set0_value(name, GEN_DNS, dns);
        }
    }
    ok = ok && X509_add1_ext_i2d(to, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return ok ? 0 : fail(err, ERR_INTERNAL, "cannot name a certificate's hosts");
}

static int set_serial(X509 *to)
{
    unsigned char bytes[SERIAL_BYTES];
    ASN1_INTEGER *serial = NULL;

    rand_bytes(bytes, sizeof(bytes));
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and always of the same length */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    int ok = number && (serial = BN_to_ASN1_INTEGER(number, NULL)) && X509_set_serialNumber(to, serial) == 1;
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return ok;
}

/* All but the extensions and the signature. */
static int start_certificate(EVP_PKEY *key, const char *name, int64_t now_ms, int64_t end_ms, X509 **ret,
                             struct err *err)
{
    CERTIFICATE_SCOPED X509 *made = X509_new();
    time_t from = (time_t)(now_ms / 1000) - SKEW_S, until = (time_t)(end_ms / 1000);
    X509_NAME *subject = made ? X509_get_subject_name(made) : NULL;

    if (!made || X509_set_version(made, X509_VERSION_3) != 1 || !set_serial(made) ||
        !ASN1_TIME_set(X509_getm_notBefore(made), from) || !ASN1_TIME_set(X509_getm_notAfter(made), until) ||
        X509_set_pubkey(made, key) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) != 1)
        return fail(err, ERR_INTERNAL, "cannot make a certificate");
    *ret = made;
    made = NULL;
    return 0;
}

static int write_pem(X509 *certificate, EVP_PKEY *key, const char *file, mode_t mode, struct err *err)
{
    BIO_SCOPED BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    bool ok = bio && (!certificate || PEM_write_bio_X509(bio, certificate) == 1) &&
              (!key || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);

    if (!ok)
        return fail(err, ERR_INTERNAL, "cannot write a certificate");
    long n = BIO_get_mem_data(bio, &text);
    return file_write_atomic(file, str_from(text, (size_t)n), mode, err);
}

static EVP_PKEY *new_key(void)
{
    return EVP_EC_gen("P-256");
}

int pki_make_ca(const char *certificate_file, const char *key_file, const char *name, int64_t now_ms, struct err *err)
{
    KEY_SCOPED EVP_PKEY *key = new_key();
    CERTIFICATE_SCOPED X509 *ca = NULL;
    int rc;

    if (!key)
        return fail(err, ERR_INTERNAL, "cannot make a key");
    rc = start_certificate(key, name, now_ms, now_ms + (int64_t)PKI_CA_DAYS * DAY_S * 1000, &ca, err);
    if (rc == 0 && X509_set_issuer_name(ca, X509_get_subject_name(ca)) != 1)
        rc = fail(err, ERR_INTERNAL, "cannot name a CA");
    if (rc == 0)
        rc = add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0", err);
    if (rc == 0)
        rc = add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign", err);
    if (rc == 0)
        rc = add_extension(ca, ca, NID_subject_key_identifier, "hash", err);
    if (rc == 0)
        rc = add_extension(ca, ca, NID_authority_key_identifier, "keyid:always", err);
    if (rc == 0 && X509_sign(ca, key, EVP_sha256()) == 0)
        rc = fail(err, ERR_INTERNAL, "cannot sign a certificate");
    /* The key first: a certificate without its key would be taken for a CA whose key was put away. */
    if (rc == 0)
        rc = write_pem(NULL, key, key_file, 0600, err);
    if (rc == 0)
        rc = write_pem(ca, NULL, certificate_file, 0644, err);
    return rc;
}

static int extend(X509 *made, X509 *ca, const struct pki_request *q, struct err *err)
{
    int rc = add_extension(made, ca, NID_basic_constraints, "critical,CA:FALSE", err);

    if (rc == 0)
        rc = add_extension(made, ca, NID_key_usage, "critical,digitalSignature", err);
    if (rc == 0)
        rc = add_extension(made, ca, NID_ext_key_usage, q->is_client ? "clientAuth" : "serverAuth", err);
    if (rc == 0)
        rc = add_extension(made, ca, NID_subject_key_identifier, "hash", err);
    if (rc == 0)
        rc = add_extension(made, ca, NID_authority_key_identifier, "keyid:always", err);
    if (rc == 0 && q->host_count)
        rc = add_hosts(made, q, err);
    return rc;
}

int pki_issue(const char *ca_file, const char *ca_key_file, const struct pki_request *q, int64_t now_ms,
              const char *to_file, struct err *err)
{
    CERTIFICATE_SCOPED X509 *ca = NULL, *made = NULL;
    KEY_SCOPED EVP_PKEY *ca_key = NULL, *key = NULL;
    int rc = read_certificate(ca_file, &ca, err);

    if (rc < 0 || (rc = read_key(ca_key_file, &ca_key, err)) < 0)
        return rc;
    int64_t end = now_ms + (int64_t)q->days * DAY_S * 1000, ca_end = time_ms(X509_get0_notAfter(ca));
    if (end > ca_end)
        end = ca_end;
    if (end <= now_ms)
        return err_set(err, ERR_INVALID,
                       "the CA in %s has expired: move its folder away, and `dataplatform up` makes a "
                       "new one, which clients have to be told of",
                       ca_file);
    if (!(key = new_key()))
        return fail(err, ERR_INTERNAL, "cannot make a key");
    rc = start_certificate(key, q->name, now_ms, end, &made, err);
    if (rc == 0 && X509_set_issuer_name(made, X509_get_subject_name(ca)) != 1)
        rc = fail(err, ERR_INTERNAL, "cannot name a certificate's CA");
    if (rc == 0)
        rc = extend(made, ca, q, err);
    if (rc == 0 && X509_sign(made, ca_key, EVP_sha256()) == 0)
        rc = fail(err, ERR_INTERNAL, "cannot sign a certificate");
    if (rc == 0)
        rc = write_pem(made, key, to_file, 0600, err);
    return rc;
}
