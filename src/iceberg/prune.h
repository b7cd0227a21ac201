/* Whether a manifest or a file can hold a row that the predicates accept. Never false when one might. Inside iceberg/. */
#ifndef ICEBERG_PRUNE_H
#define ICEBERG_PRUNE_H

#include "iceberg/manifest.h"

/* The predicates, with what they are about looked up once. */
struct iceberg_filter {
    const struct iceberg_metadata *metadata;
    const struct iceberg_predicate *predicates;
    const struct iceberg_field **columns; /* NULL: unknown here, so it prunes nothing */
    size_t n;
};
void iceberg_filter_init(struct iceberg_filter *f, struct arena *a, const struct iceberg_metadata *m,
                         const struct iceberg_predicate *predicates, size_t n);
bool iceberg_manifest_may_match(const struct iceberg_filter *f, const struct iceberg_manifest_file *m);
bool iceberg_file_may_match(const struct iceberg_filter *f, const struct iceberg_spec *spec,
                            const struct iceberg_entry *e);

#endif
