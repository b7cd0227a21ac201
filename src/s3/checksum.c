#include "s3/checksum.h"

#include "base/enc.h"

const struct checksum_kind checksum_kinds[CHECKSUM_KINDS] = {
    {HASH_CRC32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", true, true},
    {HASH_CRC32C, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", true, true},
    {HASH_CRC64NVME, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", false, true},
    {HASH_SHA1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", true, false},
    {HASH_SHA256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", true, false},
};

const struct checksum_kind *checksum_by_kind(int kind)
{
    for (size_t i = 0; i < CHECKSUM_KINDS; i++)
        if ((int)checksum_kinds[i].kind == kind)
            return &checksum_kinds[i];
    return NULL;
}

const struct checksum_kind *checksum_by_algorithm(struct str name)
{
    for (size_t i = 0; i < CHECKSUM_KINDS; i++)
        if (str_eq_nocase(name, str_from_cstr(checksum_kinds[i].algorithm)))
            return &checksum_kinds[i];
    return NULL;
}

const struct checksum_kind *checksum_by_header(struct str name)
{
    for (size_t i = 0; i < CHECKSUM_KINDS; i++)
        if (str_eq_nocase(name, str_from_cstr(checksum_kinds[i].header)))
            return &checksum_kinds[i];
    return NULL;
}

struct str checksum_text(struct arena *a, const struct objects_checksum *c, uint32_t part_count)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, 256);
    enc_base64(&b, c->value, hash_size((enum hash_kind)c->kind));
    if (c->composite)
        buf_addf(&b, "-%u", part_count);
    return arena_str(a, buf_str(&b));
}

int checksum_read(const struct checksum_kind *k, struct str text, unsigned char ret[HASH_MAX_SIZE], struct err *err)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, 256);
    if (enc_unbase64(&b, str_trim(text), NULL) < 0 || b.n != hash_size(k->kind))
        return err_set_named(err, ERR_INVALID, "InvalidRequest", "Value for %s header is invalid.", k->header);
    memcpy(ret, b.p, b.n);
    return 0;
}
