/* Types, schemas and partition specs in their JSON forms (specification: Appendix C). Inside iceberg/ only. */
#ifndef ICEBERG_SCHEMA_H
#define ICEBERG_SCHEMA_H

#include "iceberg/iceberg.h"

enum { ICEBERG_DEPTH_MAX = 100 };

/* n zeroed elements, or ERR_LIMIT: for counts that come from outside. */
#define iceberg_array(arena, type, n, ret, err) iceberg_try_array((arena), (n), sizeof(type), (void **)(ret), (err))
MUST_CHECK int iceberg_try_array(struct arena *a, size_t n, size_t size, void **ret, struct err *err);
MUST_CHECK int iceberg_copy_str(struct arena *a, struct str s, struct str *ret, struct err *err);

MUST_CHECK int iceberg_type_parse(struct arena *a, const json_t *j, int depth, const struct iceberg_type **ret,
                                  struct err *err);
/* A type as its JSON: "decimal(9, 2)" with quotes, or an object. */
void iceberg_type_write(struct json_writer *w, const struct iceberg_type *t);
/* The text of a primitive type: "decimal(9, 2)". */
struct str iceberg_type_name(struct arena *a, const struct iceberg_type *t);

MUST_CHECK int iceberg_schema_parse(struct arena *a, const json_t *j, struct iceberg_schema *ret, struct err *err);
void iceberg_schema_write(struct json_writer *w, const struct iceberg_schema *s);
/* The highest field id, at any depth. */
int iceberg_highest_id(const struct iceberg_field *fields, size_t n);
/* At any depth; NULL: none. */
const struct iceberg_field *iceberg_schema_find(const struct iceberg_schema *s, int field_id);

/* The fields of a spec; ids that version 1 leaves out count from 1000. */
MUST_CHECK int iceberg_spec_parse_fields(struct arena *a, const json_t *fields, struct iceberg_spec *ret,
                                         struct err *err);
void iceberg_spec_write_fields(struct json_writer *w, const struct iceberg_spec *s);

#endif
