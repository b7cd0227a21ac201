/* The tables that say which keys platform.yaml has; spec.c reads by them, and the documentation is checked by them. */
#ifndef SPEC_KEYS_H
#define SPEC_KEYS_H

#include "spec/spec.h"

enum spec_value {
    SPEC_SECTION,    /* a mapping with the keys of `section` */
    SPEC_INT,        /* int, between min and max */
    SPEC_MEMORY,     /* uint64_t, at least min */
    SPEC_DURATION,   /* int64_t, ms, between min and max */
    SPEC_ADDRESS,    /* str: a numeric IP address */
    SPEC_PATH,       /* str: made absolute */
    SPEC_TEXT,       /* str, not empty */
    SPEC_ACCESS_KEY, /* str */
    SPEC_BUCKETS,    /* str array, its length behind it */
    SPEC_HOSTS,      /* str array, its length behind it: names and addresses */
    SPEC_TLS,        /* on, off, or a section */
    SPEC_PROXIES,    /* struct http_proxies: its networks */
    SPEC_HEADERS,    /* struct http_proxies: which headers they write */
    SPEC_NAMES,      /* str array, its length behind it */
    SPEC_POLICIES,   /* mapping of names to IAM documents */
    SPEC_USERS,      /* mapping of names to sections */
    SPEC_CATALOG,    /* struct spec_postgresql of struct spec: "sqlite", or a section */
    SPEC_BOOL,       /* bool */
    SPEC_URL,        /* str: http or https, made without a slash at its end */
    SPEC_TEXTS,      /* str array, its length behind it */
    SPEC_ENTRIES,    /* mapping of names to sections: an array of structs of `max` bytes that begin with the name, its
                        length behind it */
    SPEC_CATALOGS,   /* mapping of names to a connector's properties */
};

struct spec_section;

struct spec_key {
    const char *name;
    enum spec_value kind;
    size_t at; /* offset in the struct that the section fills */
    int64_t min, max;
    const struct spec_section *section;
};

struct spec_section {
    const struct spec_key *keys;
    size_t n;
};

extern const struct spec_section spec_root;

/* ---- identity.c ---- */

struct hash;
void spec_identity_defaults(struct arena *a, struct spec *s); /* after the file was read */
/* ERR_INVALID with a message that begins with the key. */
MUST_CHECK int spec_identity_check(const struct spec *s, struct err *err);
void spec_identity_digest(struct hash *h, const struct spec *s);

/* ---- authentication.c ---- */

MUST_CHECK int spec_authentication_check(const struct spec *s, struct err *err); /* as spec_identity_check */
void spec_authentication_digest(struct hash *h, const struct spec *s);

/* The properties that a connector takes, under Trino's names. */
struct spec_connector_property {
    const char *connector, *name;
    const char *choices[4]; /* all values it may have; none: any */
};
extern const struct spec_connector_property spec_connector_properties[];
extern const size_t spec_connector_property_count;
extern const char *const spec_connectors[];
extern const size_t spec_connector_count;

#endif
