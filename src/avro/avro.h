/*
 * Avro (specification 1.11): schemas, and object container files, as Iceberg's manifests need them: the schema JSON and
 * header keys verbatim both ways, field ids kept. Values are walked, not built: the reader calls back by schema node.
 *
 * Bytes are hostile: every length is checked against what is there, blocks and decompressed sizes are bounded,
 * nesting too. ERR_CORRUPT says at which byte.
 */
#ifndef AVRO_AVRO_H
#define AVRO_AVRO_H

#include "base/buf.h"
#include "base/json.h"

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED,
};

struct avro_schema;
struct avro_field {
    struct str name;
    int field_id; /* Iceberg's "field-id"; -1: none */
    struct avro_schema *schema;
};
struct avro_schema {
    enum avro_kind kind;
    struct avro_field *fields; /* record's fields; union's branches (names null) */
    size_t field_count;
    struct avro_schema *element; /* array's, map's values */
    int element_id;              /* Iceberg's "element-id"; -1: none */
    size_t size;                 /* fixed */
    struct str logical_type;     /* null: none */
    struct str *symbols;         /* enum */
    size_t symbol_count;
};
MUST_CHECK int avro_schema_parse(struct arena *a, struct str json, struct avro_schema **ret, struct err *err);

/* ---- values ---- */

struct avro_value {
    enum avro_kind kind; /* of the value: a union's is its branch's */
    union {
        bool boolean;
        int64_t i;        /* int, long, enum (index) */
        double f;         /* float, double */
        struct str bytes; /* bytes, string, fixed; in the reader's block: copy what outlives the next record */
        struct {
            struct avro_value *items; /* record: by schema field; array: elements; map: values */
            struct str *keys;         /* map */
            size_t n;
        } list;
    };
};
/* The field of a record value with that Iceberg field id, or NULL (absent, or null). */
const struct avro_value *avro_by_id(const struct avro_schema *s, const struct avro_value *record, int field_id);

/* ---- container files ---- */

struct avro_reader;
MUST_CHECK int avro_reader_new(struct arena *a, struct str file, struct avro_reader **ret, struct err *err);
void avro_reader_free(struct avro_reader *r);
const struct avro_schema *avro_reader_schema(const struct avro_reader *r);
struct str avro_reader_meta(const struct avro_reader *r, const char *key); /* header key; null: absent */
/* 1 and a record, 0 at the end, or an error. The value lives until the next call. Codecs: null, deflate, zstandard, snappy. */
MUST_CHECK int avro_reader_next(struct avro_reader *r, const struct avro_value **ret, struct err *err);

struct avro_writer;
struct avro_meta {
    const char *key;
    struct str value;
};
/* Writes into `to`. The schema text goes into the header as it is; codec deflate. */
MUST_CHECK int avro_writer_new(struct buf *to, struct str schema_json, const struct avro_meta *meta, size_t meta_count,
                               struct avro_writer **ret, struct err *err);
/* Primitive encoders in schema order; the caller walks its own schema: */
void avro_put_long(struct avro_writer *w, int64_t v); /* int, long, enum, union branch, array and map block counts */
void avro_put_bytes(struct avro_writer *w, struct str v); /* bytes, string */
void avro_put_fixed(struct avro_writer *w, struct str v);
void avro_put_boolean(struct avro_writer *w, bool v);
void avro_put_float(struct avro_writer *w, float v);
void avro_put_double(struct avro_writer *w, double v);
void avro_end_record(struct avro_writer *w);
MUST_CHECK int avro_writer_finish(struct avro_writer *w, struct err *err); /* frees w */

#endif
