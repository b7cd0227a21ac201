/* Partition transforms. Inside iceberg/ only. */
#ifndef ICEBERG_TRANSFORM_H
#define ICEBERG_TRANSFORM_H

#include "iceberg/iceberg.h"

/* "bucket[16]", "month", …: the specification's names. An unknown one is ICEBERG_UNKNOWN_TRANSFORM. */
void iceberg_transform_parse(struct str text, enum iceberg_transform *ret, int *ret_param);
struct str iceberg_transform_name(struct arena *a, const struct iceberg_partition_field *f);
uint32_t iceberg_murmur3(struct str bytes); /* 32 bits, x86 variant, seed 0 */
/* The shortest big-endian two's complement; returns its length. */
size_t iceberg_decimal_bytes(__int128 v, unsigned char out[16]);

#endif
