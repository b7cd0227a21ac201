#include "base/hash.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

/* All three CRCs are reflected, start at all ones and end inverted; they differ in width and polynomial
 * (reflected form): CRC-32/ISO-HDLC, CRC-32C (RFC 3720), CRC-64/NVME (NVM Express base specification). */
enum { CRC_KINDS = 3, SLICES = 8 };

static const uint64_t crc_poly[CRC_KINDS] = {0xEDB88320u, 0x82F63B78u, 0x9A6C9329AC4BC9B5u};
static uint64_t crc_table[CRC_KINDS][SLICES][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void make_crc_tables(void)
{
    for (int k = 0; k < CRC_KINDS; k++) {
        for (uint64_t i = 0; i < 256; i++) {
            uint64_t c = i;
            for (int bit = 0; bit < 8; bit++)
                c = c & 1 ? c >> 1 ^ crc_poly[k] : c >> 1;
            crc_table[k][0][i] = c;
        }
        for (int s = 1; s < SLICES; s++)
            for (int i = 0; i < 256; i++) {
                uint64_t c = crc_table[k][s - 1][i];
                crc_table[k][s][i] = c >> 8 ^ crc_table[k][0][c & 0xff];
            }
    }
}

static bool is_crc(enum hash_kind kind)
{
    return kind >= HASH_CRC32;
}

static uint64_t crc_mask(enum hash_kind kind)
{
    return kind == HASH_CRC64NVME ? UINT64_MAX : UINT32_MAX;
}

static uint64_t crc_update(enum hash_kind kind, uint64_t crc, const unsigned char *p, size_t n)
{
    uint64_t(*t)[256] = crc_table[kind - HASH_CRC32];

    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8); /* little-endian hosts only, as the rest of the program's formats */
        w ^= crc;
        crc = t[7][w & 0xff] ^ t[6][w >> 8 & 0xff] ^ t[5][w >> 16 & 0xff] ^ t[4][w >> 24 & 0xff] ^
              t[3][w >> 32 & 0xff] ^ t[2][w >> 40 & 0xff] ^ t[1][w >> 48 & 0xff] ^ t[0][w >> 56];
        p += 8;
        n -= 8;
    }
    while (n--)
        crc = crc >> 8 ^ t[0][(crc ^ *p++) & 0xff];
    return crc;
}

size_t hash_size(enum hash_kind kind)
{
    static const size_t sizes[] = {[HASH_MD5] = 16,  [HASH_SHA1] = 20,  [HASH_SHA256] = 32,  [HASH_SHA512] = 64,
                                   [HASH_CRC32] = 4, [HASH_CRC32C] = 4, [HASH_CRC64NVME] = 8};
    return sizes[kind];
}

static const EVP_MD *evp_of(enum hash_kind kind)
{
    switch (kind) {
    case HASH_MD5:
        return EVP_md5();
    case HASH_SHA1:
        return EVP_sha1();
    case HASH_SHA512:
        return EVP_sha512();
    default:
        return EVP_sha256();
    }
}

/* OpenSSL's digests fail on memory exhaustion only. */
static void must(int ok)
{
    if (ok != 1) {
        fputs("a digest could not be computed: out of memory\n", stderr);
        abort();
    }
}

void hash_init(struct hash *h, enum hash_kind kind)
{
    *h = (struct hash){.kind = kind};
    if (is_crc(kind)) {
        pthread_once(&crc_once, make_crc_tables);
        h->crc = crc_mask(kind);
    } else {
        h->evp = EVP_MD_CTX_new();
        must(h->evp && EVP_DigestInit_ex(h->evp, evp_of(kind), NULL));
    }
}

void hash_update(struct hash *h, const void *p, size_t n)
{
    if (is_crc(h->kind))
        h->crc = crc_update(h->kind, h->crc, p, n);
    else
        must(EVP_DigestUpdate(h->evp, p, n));
}

void hash_final(struct hash *h, unsigned char *out)
{
    if (is_crc(h->kind)) {
        uint64_t v = h->crc ^ crc_mask(h->kind);
        size_t n = hash_size(h->kind);
        for (size_t i = 0; i < n; i++)
            out[i] = (unsigned char)(v >> 8 * (n - 1 - i));
    } else {
        unsigned int n;
        must(EVP_DigestFinal_ex(h->evp, out, &n));
        hash_release(h);
    }
}

void hash_release(struct hash *h)
{
    EVP_MD_CTX_free(h->evp);
    h->evp = NULL;
}

void hash_bytes(enum hash_kind kind, struct str data, unsigned char *out)
{
    struct hash h;

    hash_init(&h, kind);
    hash_update(&h, data.p, data.n);
    hash_final(&h, out);
}

void hash_hmac_sha256(struct str key, struct str data, unsigned char out[32])
{
    unsigned int n = 32;

    if (!HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n, (const unsigned char *)data.p, data.n, out, &n))
        must(0);
}

/* The product of two polynomials over GF(2) modulo the CRC's, in reflected form (bit 0 is the highest power). */
static uint64_t multiply_mod(uint64_t a, uint64_t b, uint64_t poly, int width)
{
    uint64_t top = UINT64_C(1) << (width - 1);
    uint64_t product = 0;

    for (uint64_t bit = top; bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ poly : b >> 1;
    }
    return product;
}

uint64_t hash_crc_combine(enum hash_kind kind, uint64_t crc_a, uint64_t crc_b, uint64_t length_b)
{
    int width = kind == HASH_CRC64NVME ? 64 : 32;
    uint64_t poly = crc_poly[kind - HASH_CRC32];
    uint64_t factor = UINT64_C(1) << (width - 1);     /* x^0 */
    uint64_t square = UINT64_C(1) << (width - 1 - 8); /* x^8: a byte's shift */

    for (uint64_t n = length_b; n; n >>= 1) {
        if (n & 1)
            factor = multiply_mod(square, factor, poly, width);
        square = multiply_mod(square, square, poly, width);
    }
    return multiply_mod(factor, crc_a, poly, width) ^ crc_b;
}
