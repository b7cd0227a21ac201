/* What planning and commits get from the cache; each result is a reference of the caller's. Inside iceberg/ only. */
#ifndef ICEBERG_CACHE_H
#define ICEBERG_CACHE_H

#include "iceberg/manifest.h"

MUST_CHECK int iceberg_load_manifest_list(struct iceberg_cache *c, struct str location,
                                          struct iceberg_manifest_list **ret, struct err *err);
MUST_CHECK int iceberg_load_manifest(struct iceberg_cache *c, const struct iceberg_manifest_file *file,
                                     const struct iceberg_metadata *m, struct iceberg_manifest **ret, struct err *err);
/* Metadata that was just written. Takes no reference away. */
void iceberg_cache_put_metadata(struct iceberg_cache *c, struct str location, struct iceberg_metadata *m);

#endif
