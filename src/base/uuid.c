#include "base/uuid.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"

void uuid_format(const unsigned char b[16], char out[UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex[b[i] >> 4];
        out[at++] = hex[b[i] & 15];
    }
    out[at] = '\0';
}

static void stamp_and_format(unsigned char b[16], int version, char out[UUID_TEXT_SIZE])
{
    b[6] = (unsigned char)((b[6] & 0x0f) | version << 4);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    uuid_format(b, out);
}

void uuid_v4(char out[UUID_TEXT_SIZE])
{
    unsigned char b[16];

    rand_bytes(b, sizeof(b));
    stamp_and_format(b, 4, out);
}

void uuid_v7(char out[UUID_TEXT_SIZE])
{
    unsigned char b[16];
    uint64_t ms = (uint64_t)clock_wall_ms();

    rand_bytes(b, sizeof(b));
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    stamp_and_format(b, 7, out);
}

int uuid_parse(struct str text, unsigned char ret[16], struct err *err)
{
    unsigned char b[16];
    size_t at = 0;

    if (text.n != 36)
        return err_set(err, ERR_INVALID, "expected a UUID of 36 characters, found %zu", text.n);
    for (size_t i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text.p[at++] != '-')
            return err_set(err, ERR_INVALID, "'%.*s' is not a UUID", STR_ARG(text));
        int high = enc_hex_value(text.p[at]), low = enc_hex_value(text.p[at + 1]);
        if (high < 0 || low < 0)
            return err_set(err, ERR_INVALID, "'%.*s' is not a UUID", STR_ARG(text));
        b[i] = (unsigned char)(high << 4 | low);
        at += 2;
    }
    memcpy(ret, b, 16);
    return 0;
}
