/* Table metadata: what only iceberg/ itself needs of it. */
#ifndef ICEBERG_METADATA_H
#define ICEBERG_METADATA_H

#include "iceberg/iceberg.h"

/* Takes the document over, also on failure. */
MUST_CHECK int iceberg_metadata_from_json(json_t *json, struct iceberg_metadata **ret, struct err *err);
const struct iceberg_spec *iceberg_find_spec(const struct iceberg_metadata *m, int id);             /* NULL: none */
const struct iceberg_snapshot *iceberg_find_snapshot(const struct iceberg_metadata *m, int64_t id); /* NULL: none */
const struct iceberg_field *iceberg_find_column(const struct iceberg_metadata *m, int field_id);

#endif
