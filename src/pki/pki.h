/*
 * The platform's certificates. With `tls: on` there is a CA of its own, made once, whose certificate clients are told to
 * trust, and a server certificate of it that all services show, made anew in time. In DATA/tls, which is 0700:
 *
 *   ca.pem       the CA's certificate: ten years
 *   ca-key.pem   its key, 0600; it may be taken away and kept elsewhere, then nothing new is made
 *   server.pem   certificate and key in one file, so that no reader ever sees one without the other, 0600
 *
 *   certificate.c  keys and certificates themselves, over libcrypto: EC P-256, ECDSA with SHA-256
 *   pki.c          which the platform needs, and when
 */
#ifndef PKI_PKI_H
#define PKI_PKI_H

#include "http/server.h"
#include "spec/spec.h"

enum { PKI_CA_DAYS = 3652, PKI_SERVER_DAYS = 397, PKI_RENEW_DAYS = 30 };

/* ---- the platform's ---- */

/* What services listen with; NULL when the spec says `tls: off`. In the arena. */
const struct http_tls_options *pki_tls(struct arena *a, const struct spec *s);
/* As pki_tls, with clients' certificates of the same CA: given ones of `tls.ca` when the spec names one. */
const struct http_tls_options *pki_tls_with_clients(struct arena *a, const struct spec *s);
/* What clients on this machine trust: a file, or NULL for the system's CAs. */
const char *pki_ca_file(struct arena *a, const struct spec *s);
/* The host of the platform's URLs: the first of `tls.hosts`, else the address that it listens on (or the loopback one). In
 * URL form: an IPv6 address has brackets. */
const char *pki_url_host(struct arena *a, const struct spec *s);
/* "ADDRESS:PORT" of a service as this machine reaches it, whatever the URL's host resolves to, or doesn't: what
 * http/client.h connects to. */
const char *pki_local_address(struct arena *a, const struct spec *s, int port);

/* Makes what is missing, or out of date within PKI_RENEW_DAYS, or not good for a host; checks given files. *ret_note: what
 * the owner should know ("a new CA was made …", "… expires on …"), or null; in the arena. `now_ms`: wall clock. */
MUST_CHECK int pki_prepare(struct arena *a, const struct spec *s, int64_t now_ms, struct str *ret_note,
                           struct err *err);

/* ---- certificates ---- */

/* The CA's certificate and its key, each in its file. */
MUST_CHECK int pki_make_ca(const char *certificate_file, const char *key_file, const char *name, int64_t now_ms,
                           struct err *err);

struct pki_request {
    const char *name;        /* the subject's common name */
    const struct str *hosts; /* names and addresses; none for a client */
    size_t host_count;
    bool is_client;
    int days; /* never beyond the CA's own end */
};
/* One PEM text with certificate and key, of the CA in the two files. */
MUST_CHECK int pki_issue(const char *ca_file, const char *ca_key_file, const struct pki_request *q, int64_t now_ms,
                         const char *to_file, struct err *err);

/* What a PEM file's first certificate says. */
struct pki_certificate {
    int64_t not_before_ms, not_after_ms;
    struct str subject; /* "CN=localhost" */
    size_t host_count;  /* subject alternative names */
};
MUST_CHECK int pki_read(struct arena *a, const char *file, struct pki_certificate *ret, struct err *err);
/* 0 when the file's first certificate is good for the host (a name or an address). */
MUST_CHECK int pki_check_host(const char *file, struct str host, struct err *err);
/* 0 when the certificate is signed by the first one of `ca_file`. */
MUST_CHECK int pki_check_issuer(const char *file, const char *ca_file, struct err *err);
/* 0 when the key is the certificate's. */
MUST_CHECK int pki_check_key(const char *file, const char *key_file, struct err *err);

#endif
