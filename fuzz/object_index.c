/* The object index's records: what decodes, encodes to the same bytes again. The checksum that guards them is made to
 * fit, or nothing would get past it. */
#include "fuzz.h"

#include "objects/index.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf record, again;
    unsigned char crc[HASH_MAX_SIZE];
    struct index_object object;
    struct index_part part;
    struct index_upload upload;
    struct index_bucket bucket;

    if (size > INDEX_RECORD_MAX / 2)
        return 0;
    buf_init(&record, INDEX_RECORD_MAX);
    buf_init(&again, INDEX_RECORD_MAX);
    buf_append(&record, data, size);
    hash_bytes(HASH_CRC32C, buf_str(&record), crc);
    buf_append(&record, crc, 4);

    if (index_decode_object(buf_str(&record), &a, &object, NULL) == 0)
        index_encode_object(&again, &object);
    else if (index_decode_part(buf_str(&record), &part, NULL) == 0)
        index_encode_part(&again, &part);
    else if (index_decode_upload(buf_str(&record), &a, &upload, NULL) == 0)
        index_encode_upload(&again, &upload);
    else if (index_decode_bucket(buf_str(&record), &bucket, NULL) == 0)
        index_encode_bucket(&again, &bucket);
    else
        return 0;
    if (!str_eq(buf_str(&again), buf_str(&record)))
        abort();
    return 0;
}
