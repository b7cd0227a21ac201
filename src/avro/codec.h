/* The codecs of container files' blocks. Inside avro/ only. */
#ifndef AVRO_CODEC_H
#define AVRO_CODEC_H

#include "base/buf.h"

enum avro_codec { AVRO_CODEC_NULL, AVRO_CODEC_DEFLATE, AVRO_CODEC_ZSTANDARD, AVRO_CODEC_SNAPPY };

/* A null name is the null codec (specification: "If codec is absent, it is assumed to be null"). */
MUST_CHECK int avro_codec_find(struct str name, enum avro_codec *ret, struct err *err);
/* Appends the block's bytes, at most to->max of them. */
MUST_CHECK int avro_codec_decode(enum avro_codec codec, struct str block, struct buf *to, struct err *err);
/* Appends the deflate form of the bytes. */
MUST_CHECK int avro_codec_deflate(struct str bytes, struct buf *to, struct err *err);

#endif
