/*
 * The tables of TPC-H as a table function, dp_dbgen(table, scale): the rows that dbgen 2 and Trino make, at a few million a
 * second on each core. Ranges of rows are handed to as many threads as the engine gives.
 *
 * Each column draws from a stream of random numbers of its own, seed * 16807 mod (2^31 - 1), and each row has a fixed
 * number of draws to itself whether it uses them or not. So a row's numbers are found without making those before it.
 */
#include "engine/dbgen.h"
#include "base/vec.h"
#include "engine/dbgen_internal.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES_MAX = 7, /* of an order */
    SUPPLIERS = 4, /* of a part */
    NATIONS = 25,
    RANGE_ROWS = 1 << 17, /* handed to a thread at a time: about a row group, so that keys lie close in the file */
    FIRST_ORDER_DATE = 8035,
    LAST_ORDER_DATE = 10440, /* days: 1992-01-01, 1998-08-02 */
    TODAY = 9298,            /* 1995-06-17: what is shipped by then */
};

/* ---- streams ---- */

struct seed {
    int64_t seed;
    int draws; /* of a row */
};

struct stream {
    int64_t row, step; /* before the next row's draws; the factor to the row after it */
    int64_t at;        /* the last number drawn */
};

static int64_t power(int64_t count)
{
    int64_t ret = 1;

    for (int64_t factor = dbgen_factor; count > 0; count /= 2) {
        if (count % 2 != 0)
            ret = dbgen_multiply(ret, factor);
        factor = dbgen_multiply(factor, factor);
    }
    return ret;
}

/* Before the row with this index, from 0. */
static void start(struct stream *streams, const struct seed *seeds, size_t n, int64_t index)
{
    for (size_t i = 0; i < n; i++) {
        streams[i].step = power(seeds[i].draws);
        streams[i].row = dbgen_multiply(seeds[i].seed, power(seeds[i].draws * index));
    }
}

static void next_row(struct stream *streams, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        streams[i].at = streams[i].row;
        streams[i].row = dbgen_multiply(streams[i].row, streams[i].step);
    }
}

static int64_t draw(struct stream *s, int64_t low, int64_t high)
{
    return dbgen_draw(&s->at, low, high);
}

/* ---- values ---- */

/* What words are drawn from; all are as likely. */
static const char *const priorities[] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"};
static const char *const instructions[] = {"DELIVER IN PERSON", "COLLECT COD", "TAKE BACK RETURN", "NONE"};
static const char *const modes[] = {"REG AIR", "AIR", "RAIL", "TRUCK", "MAIL", "FOB", "SHIP"};
static const char *const segments[] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"};
static const char *const regions[] = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
static const char *const container_sizes[] = {"SM", "LG", "MED", "JUMBO", "WRAP"};
static const char *const container_kinds[] = {"CASE", "BOX", "BAG", "JAR", "PACK", "PKG", "CAN", "DRUM"};
static const char *const type_sizes[] = {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"};
static const char *const type_finishes[] = {"ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"};
static const char *const type_metals[] = {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"};
static const char *const colors[] = {
    "almond",   "antique", "aquamarine", "azure",     "beige",      "bisque",    "black",     "blanched", "blue",
    "blush",    "brown",   "burlywood",  "burnished", "chartreuse", "chiffon",   "chocolate", "coral",    "cornflower",
    "cornsilk", "cream",   "cyan",       "dark",      "deep",       "dim",       "dodger",    "drab",     "firebrick",
    "floral",   "forest",  "frosted",    "gainsboro", "ghost",      "goldenrod", "green",     "grey",     "honeydew",
    "hot",      "indian",  "ivory",      "khaki",     "lace",       "lavender",  "lawn",      "lemon",    "light",
    "lime",     "linen",   "magenta",    "maroon",    "medium",     "metallic",  "midnight",  "mint",     "misty",
    "moccasin", "navajo",  "navy",       "olive",     "orange",     "orchid",    "pale",      "papaya",   "peach",
    "peru",     "pink",    "plum",       "powder",    "puff",       "purple",    "red",       "rose",     "rosy",
    "royal",    "saddle",  "salmon",     "sandy",     "seashell",   "sienna",    "sky",       "slate",    "smoke",
    "snow",     "spring",  "steel",      "tan",       "thistle",    "tomato",    "turquoise", "violet",   "wheat",
    "white",    "yellow",
};
static const struct {
    const char *name;
    int region;
} nations[NATIONS] = {
    {"ALGERIA", 0},      {"ARGENTINA", 1},  {"BRAZIL", 1},  {"CANADA", 1},         {"EGYPT", 4},
    {"ETHIOPIA", 0},     {"FRANCE", 3},     {"GERMANY", 3}, {"INDIA", 2},          {"INDONESIA", 2},
    {"IRAN", 4},         {"IRAQ", 4},       {"JAPAN", 2},   {"JORDAN", 4},         {"KENYA", 0},
    {"MOROCCO", 0},      {"MOZAMBIQUE", 0}, {"PERU", 1},    {"CHINA", 2},          {"ROMANIA", 3},
    {"SAUDI ARABIA", 4}, {"VIETNAM", 2},    {"RUSSIA", 3},  {"UNITED KINGDOM", 3}, {"UNITED STATES", 1},
};

/* The chunk that is being filled. */
struct out {
    duckdb_data_chunk chunk;
    duckdb_vector *vectors;
    void **data;
    size_t rows;
};

static void put_i64(struct out *to, int column, int64_t v)
{
    ((int64_t *)to->data[column])[to->rows] = v;
}

/* Integers and dates. */
static void put_i32(struct out *to, int column, int64_t v)
{
    ((int32_t *)to->data[column])[to->rows] = (int32_t)v;
}

static void put_cents(struct out *to, int column, int64_t cents)
{
    ((double *)to->data[column])[to->rows] = (double)cents / 100;
}

/* Bytes that outlive the statement: long ones are pointed to. */
static void put_lasting(struct out *to, int column, const char *text, size_t n)
{
    duckdb_string_t *s = &((duckdb_string_t *)to->data[column])[to->rows];

    memset(s, 0, sizeof(*s));
    s->value.inlined.length = (uint32_t)n;
    if (n <= sizeof(s->value.inlined.inlined)) {
        memcpy(s->value.inlined.inlined, text, n);
        return;
    }
    memcpy(s->value.pointer.prefix, text, sizeof(s->value.pointer.prefix));
    s->value.pointer.ptr = (char *)text;
}

static void put_word(struct out *to, int column, const char *word)
{
    put_lasting(to, column, word, strlen(word));
}

static void put_copy(struct out *to, int column, const char *text, size_t n)
{
    duckdb_vector_assign_string_element_len(to->vectors[column], to->rows, text, n);
}

static void put_printf(struct out *to, int column, const char *format, ...) PRINTF_LIKE(3, 4);
static void put_printf(struct out *to, int column, const char *format, ...)
{
    char text[64];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put_copy(to, column, text, (size_t)n);
}

#define PUT_DRAWN(to, column, stream, words) \
    put_word((to), (column), (words)[draw((stream), 0, (int64_t)ARRAY_LEN(words) - 1)])

/* From 0.4 to 1.6 times the average length, cut out of the text. */
static struct str draw_text(struct stream *s, int average)
{
    int64_t least = average * 2 / 5, most = average * 8 / 5, at = draw(s, 0, DBGEN_TEXT_SIZE - most);

    return str_from(dbgen_text() + at, (size_t)draw(s, least, most));
}

static void put_text(struct out *to, int column, struct stream *s, int average)
{
    struct str text = draw_text(s, average);

    put_lasting(to, column, text.p, text.n);
}

/* 10 to 40 characters, five of 6 bits to a draw. dbgen means to draw from 0 to 2^31 - 1, and its range overflows to
 * -2^31. */
static void put_address(struct out *to, int column, struct stream *s)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,";
    char text[40];
    size_t n = (size_t)draw(s, 10, 40);
    int64_t bits = 0;

    for (size_t i = 0; i < n; i++) {
        if (i % 5 == 0) {
            s->at = dbgen_multiply(s->at, dbgen_factor);
            bits = (int64_t)((double)s->at / (double)dbgen_modulus * -2147483648.0);
        }
        text[i] = letters[bits & 63];
        bits >>= 6;
    }
    put_copy(to, column, text, n);
}

static void put_phone(struct out *to, int column, struct stream *s, int64_t nation)
{
    int first = (int)draw(s, 100, 999), second = (int)draw(s, 100, 999), third = (int)draw(s, 1000, 9999);

    put_printf(to, column, "%d-%d-%d-%d", (int)nation + 10, first, second, third);
}

/* ---- tables ---- */

enum { STREAMS_MAX = 16, COLUMNS_MAX = 16 };

/* What a thread makes: the rows from `index` (of orders, for their lines) to `end`. */
struct scan {
    struct stream streams[STREAMS_MAX];
    int64_t index, end;
    double scale;
};

static int64_t count_of(int64_t base, double scale)
{
    return (int64_t)((double)base * scale);
}

static int64_t part_price(int64_t part)
{
    return 90000 + part / 10 % 20001 + part % 1000 * 100;
}

static int64_t part_supplier(double scale, int64_t part, int64_t i)
{
    int64_t suppliers = count_of(10000, scale);

    return (part + i * (suppliers / SUPPLIERS + (part - 1) / suppliers)) % suppliers + 1;
}

/* Eight keys of each 32 are used. */
static int64_t order_key(int64_t order)
{
    return order >> 3 << 5 | (order & 7);
}

enum { C_ADDRESS, C_NATION, C_PHONE, C_BALANCE, C_SEGMENT, C_COMMENT };
static const struct seed customer_seeds[] = {
    [C_ADDRESS] = {881155353, 9}, [C_NATION] = {1489529863, 1},  [C_PHONE] = {1521138112, 3},
    [C_BALANCE] = {298370230, 1}, [C_SEGMENT] = {1140279430, 1}, [C_COMMENT] = {1335826707, 2},
};

static void make_customer(struct scan *s, struct out *to)
{
    int64_t key = s->index + 1, nation = draw(&s->streams[C_NATION], 0, NATIONS - 1);

    put_i64(to, 0, key);
    put_printf(to, 1, "Customer#%09lld", (long long)key);
    put_address(to, 2, &s->streams[C_ADDRESS]);
    put_i64(to, 3, nation);
    put_phone(to, 4, &s->streams[C_PHONE], nation);
    put_cents(to, 5, draw(&s->streams[C_BALANCE], -99999, 999999));
    PUT_DRAWN(to, 6, &s->streams[C_SEGMENT], segments);
    put_text(to, 7, &s->streams[C_COMMENT], 73);
    to->rows++;
}

/* Of an order; those of the lines are drawn for both tables. */
enum { O_DATE, O_LINES, O_CUSTOMER, O_PRIORITY, O_CLERK, O_COMMENT, O_QUANTITY, O_DISCOUNT, O_TAX, O_PART, O_SHIPPED };
static const struct seed orders_seeds[] = {
    [O_DATE] = {1066728069, 1},
    [O_LINES] = {1434868289, 1},
    [O_CUSTOMER] = {851767375, 1},
    [O_PRIORITY] = {591449447, 1},
    [O_CLERK] = {1171034773, 1},
    [O_COMMENT] = {276090261, 2},
    [O_QUANTITY] = {209208115, LINES_MAX},
    [O_DISCOUNT] = {554590007, LINES_MAX},
    [O_TAX] = {721958466, LINES_MAX},
    [O_PART] = {1808217256, LINES_MAX},
    [O_SHIPPED] = {1769349045, LINES_MAX},
};

/* A third of the customers never order. */
static int64_t draw_customer(struct scan *s)
{
    int64_t most = count_of(150000, s->scale), customer = draw(&s->streams[O_CUSTOMER], 1, most);

    for (int64_t delta = 1; customer % 3 == 0; delta = -delta) {
        customer += delta;
        if (customer > most)
            customer = most;
    }
    return customer;
}

static void make_order(struct scan *s, struct out *to)
{
    int64_t date = draw(&s->streams[O_DATE], FIRST_ORDER_DATE, LAST_ORDER_DATE);
    int64_t lines = draw(&s->streams[O_LINES], 1, LINES_MAX), shipped = 0, total = 0;
    int64_t clerks = count_of(1000, s->scale);

    for (int64_t i = 0; i < lines; i++) {
        int64_t quantity = draw(&s->streams[O_QUANTITY], 1, 50), discount = draw(&s->streams[O_DISCOUNT], 0, 10);
        int64_t tax = draw(&s->streams[O_TAX], 0, 8);
        int64_t part = draw(&s->streams[O_PART], 1, count_of(200000, s->scale));

        total += part_price(part) * quantity * (100 - discount) / 100 * (100 + tax) / 100;
        shipped += date + draw(&s->streams[O_SHIPPED], 1, 121) <= TODAY;
    }
    put_i64(to, 0, order_key(s->index + 1));
    put_i64(to, 1, draw_customer(s));
    put_word(to, 2, shipped == lines ? "F" : shipped > 0 ? "P" : "O");
    put_cents(to, 3, total);
    put_i32(to, 4, date);
    PUT_DRAWN(to, 5, &s->streams[O_PRIORITY], priorities);
    put_printf(to, 6, "Clerk#%09lld", (long long)draw(&s->streams[O_CLERK], 1, clerks > 1000 ? clerks : 1000));
    put_i32(to, 7, 0);
    put_text(to, 8, &s->streams[O_COMMENT], 49);
    to->rows++;
}

enum {
    L_DATE,
    L_LINES,
    L_QUANTITY,
    L_DISCOUNT,
    L_TAX,
    L_PART,
    L_SUPPLIER,
    L_SHIPPED,
    L_COMMITTED,
    L_RECEIVED,
    L_RETURNED,
    L_INSTRUCTION,
    L_MODE,
    L_COMMENT
};
static const struct seed lineitem_seeds[] = {
    [L_DATE] = {1066728069, 1},
    [L_LINES] = {1434868289, 1},
    [L_QUANTITY] = {209208115, LINES_MAX},
    [L_DISCOUNT] = {554590007, LINES_MAX},
    [L_TAX] = {721958466, LINES_MAX},
    [L_PART] = {1808217256, LINES_MAX},
    [L_SUPPLIER] = {2095021727, LINES_MAX},
    [L_SHIPPED] = {1769349045, LINES_MAX},
    [L_COMMITTED] = {904914315, LINES_MAX},
    [L_RECEIVED] = {373135028, LINES_MAX},
    [L_RETURNED] = {717419739, LINES_MAX},
    [L_INSTRUCTION] = {1371272478, LINES_MAX},
    [L_MODE] = {675466456, LINES_MAX},
    [L_COMMENT] = {1095462486, 2 * LINES_MAX},
};

static void make_line(struct scan *s, struct out *to, int64_t date, int64_t line)
{
    int64_t quantity = draw(&s->streams[L_QUANTITY], 1, 50);
    int64_t part = draw(&s->streams[L_PART], 1, count_of(200000, s->scale));
    int64_t shipped = date + draw(&s->streams[L_SHIPPED], 1, 121);
    int64_t received = shipped + draw(&s->streams[L_RECEIVED], 1, 30);

    put_i64(to, 0, order_key(s->index + 1));
    put_i64(to, 1, part);
    put_i64(to, 2, part_supplier(s->scale, part, draw(&s->streams[L_SUPPLIER], 0, SUPPLIERS - 1)));
    put_i32(to, 3, line + 1);
    put_cents(to, 4, quantity * 100);
    put_cents(to, 5, quantity * part_price(part));
    put_cents(to, 6, draw(&s->streams[L_DISCOUNT], 0, 10));
    put_cents(to, 7, draw(&s->streams[L_TAX], 0, 8));
    put_word(to, 8, received > TODAY ? "N" : draw(&s->streams[L_RETURNED], 0, 1) == 0 ? "R" : "A");
    put_word(to, 9, shipped > TODAY ? "O" : "F");
    put_i32(to, 10, shipped);
    put_i32(to, 11, date + draw(&s->streams[L_COMMITTED], 30, 90));
    put_i32(to, 12, received);
    PUT_DRAWN(to, 13, &s->streams[L_INSTRUCTION], instructions);
    PUT_DRAWN(to, 14, &s->streams[L_MODE], modes);
    put_text(to, 15, &s->streams[L_COMMENT], 27);
    to->rows++;
}

static void make_lines(struct scan *s, struct out *to)
{
    int64_t date = draw(&s->streams[L_DATE], FIRST_ORDER_DATE, LAST_ORDER_DATE);

    for (int64_t i = 0, n = draw(&s->streams[L_LINES], 1, LINES_MAX); i < n; i++)
        make_line(s, to, date, i);
}

enum { P_NAME, P_MAKER, P_BRAND, P_TYPE, P_SIZE, P_CONTAINER, P_COMMENT };
static const struct seed part_seeds[] = {
    [P_NAME] = {709314158, ARRAY_LEN(colors)},
    [P_MAKER] = {1, 1},
    [P_BRAND] = {46831694, 1},
    [P_TYPE] = {1841581359, 1},
    [P_SIZE] = {1193163244, 1},
    [P_CONTAINER] = {727633698, 1},
    [P_COMMENT] = {804159733, 2},
};

/* Five colours, none twice. */
static void put_name(struct out *to, int column, struct stream *s)
{
    unsigned char order[ARRAY_LEN(colors)];
    char text[64];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(colors); i++)
        order[i] = (unsigned char)i;
    for (size_t i = 0; i < 5; i++) {
        size_t other = (size_t)draw(s, (int64_t)i, (int64_t)ARRAY_LEN(colors) - 1);
        unsigned char chosen = order[other];

        order[other] = order[i];
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "", colors[chosen]);
    }
    put_copy(to, column, text, n);
}

static void make_part(struct scan *s, struct out *to)
{
    int64_t key = s->index + 1, maker = draw(&s->streams[P_MAKER], 1, 5), type = draw(&s->streams[P_TYPE], 0, 149);
    int64_t container = draw(&s->streams[P_CONTAINER], 0, 39);

    put_i64(to, 0, key);
    put_name(to, 1, &s->streams[P_NAME]);
    put_printf(to, 2, "Manufacturer#%d", (int)maker);
    put_printf(to, 3, "Brand#%d%d", (int)maker, (int)draw(&s->streams[P_BRAND], 1, 5));
    put_printf(to, 4, "%s %s %s", type_sizes[type / 25], type_finishes[type / 5 % 5], type_metals[type % 5]);
    put_i32(to, 5, draw(&s->streams[P_SIZE], 1, 50));
    put_printf(to, 6, "%s %s", container_sizes[container / 8], container_kinds[container % 8]);
    put_cents(to, 7, part_price(key));
    put_text(to, 8, &s->streams[P_COMMENT], 14);
    to->rows++;
}

enum { PS_QUANTITY, PS_COST, PS_COMMENT };
static const struct seed partsupp_seeds[] = {
    [PS_QUANTITY] = {1671059989, SUPPLIERS},
    [PS_COST] = {1051288424, SUPPLIERS},
    [PS_COMMENT] = {1961692154, 2 * SUPPLIERS},
};

static void make_part_suppliers(struct scan *s, struct out *to)
{
    for (int i = 0; i < SUPPLIERS; i++) {
        put_i64(to, 0, s->index + 1);
        put_i64(to, 1, part_supplier(s->scale, s->index + 1, i));
        put_i32(to, 2, draw(&s->streams[PS_QUANTITY], 1, 9999));
        put_cents(to, 3, draw(&s->streams[PS_COST], 100, 100000));
        put_text(to, 4, &s->streams[PS_COMMENT], 124);
        to->rows++;
    }
}

enum { S_ADDRESS, S_NATION, S_PHONE, S_BALANCE, S_COMMENT, S_CHOSEN, S_NOISE, S_OFFSET, S_KIND };
static const struct seed supplier_seeds[] = {
    [S_ADDRESS] = {706178559, 9}, [S_NATION] = {110356601, 1},   [S_PHONE] = {884434366, 3},
    [S_BALANCE] = {962338209, 1}, [S_COMMENT] = {1341315363, 2}, [S_CHOSEN] = {202794285, 1},
    [S_NOISE] = {263032577, 1},   [S_OFFSET] = {715851524, 1},   [S_KIND] = {753643799, 1},
};

/* Ten suppliers in 10000 have "Customer … Complaints" or "Customer … Recommends" written over their comment. */
static void put_supplier_comment(struct scan *s, struct out *to, int column)
{
    struct str text = draw_text(&s->streams[S_COMMENT], 63);
    char copy[128];

    if (draw(&s->streams[S_CHOSEN], 1, 10000) > 10) {
        put_lasting(to, column, text.p, text.n);
        return;
    }
    int64_t noise = draw(&s->streams[S_NOISE], 0, (int64_t)text.n - 19);
    int64_t offset = draw(&s->streams[S_OFFSET], 0, (int64_t)text.n - 19 - noise);
    memcpy(copy, text.p, text.n);
    memcpy(copy + offset, "Customer ", 9);
    memcpy(copy + 9 + offset + noise, draw(&s->streams[S_KIND], 0, 100) < 50 ? "Complaints" : "Recommends", 10);
    put_copy(to, column, copy, text.n);
}

static void make_supplier(struct scan *s, struct out *to)
{
    int64_t key = s->index + 1, nation = draw(&s->streams[S_NATION], 0, NATIONS - 1);

    put_i64(to, 0, key);
    put_printf(to, 1, "Supplier#%09lld", (long long)key);
    put_address(to, 2, &s->streams[S_ADDRESS]);
    put_i64(to, 3, nation);
    put_phone(to, 4, &s->streams[S_PHONE], nation);
    put_cents(to, 5, draw(&s->streams[S_BALANCE], -99999, 999999));
    put_supplier_comment(s, to, 6);
    to->rows++;
}

static const struct seed nation_seeds[] = {{606179079, 2}};

static void make_nation(struct scan *s, struct out *to)
{
    put_i64(to, 0, s->index);
    put_word(to, 1, nations[s->index].name);
    put_i64(to, 2, nations[s->index].region);
    put_text(to, 3, &s->streams[0], 72);
    to->rows++;
}

static const struct seed region_seeds[] = {{1500869201, 2}};

static void make_region(struct scan *s, struct out *to)
{
    put_i64(to, 0, s->index);
    put_word(to, 1, regions[s->index]);
    put_text(to, 2, &s->streams[0], 72);
    to->rows++;
}

struct table {
    const char *name;
    const char *columns; /* names in order, with commas between */
    const char *types;   /* a letter each: l bigint, i integer, D date, d double, v varchar */
    const struct seed *seeds;
    size_t stream_count;
    int64_t base;  /* what is counted at scale 1 */
    bool is_fixed; /* at any scale */
    int rows_max;  /* of each that is counted */
    void (*make)(struct scan *s, struct out *to);
};

#define SEEDS(s) (s), ARRAY_LEN(s)
static const struct table tables[] = {
    {"customer", "c_custkey,c_name,c_address,c_nationkey,c_phone,c_acctbal,c_mktsegment,c_comment", "lvvlvdvv",
     SEEDS(customer_seeds), 150000, false, 1, make_customer},
    {"lineitem",
     "l_orderkey,l_partkey,l_suppkey,l_linenumber,l_quantity,l_extendedprice,l_discount,l_tax,l_returnflag,"
     "l_linestatus,l_shipdate,l_commitdate,l_receiptdate,l_shipinstruct,l_shipmode,l_comment",
     "lllidddd"
     "vvDDDvvv",
     SEEDS(lineitem_seeds), 1500000, false, LINES_MAX, make_lines},
    {"nation", "n_nationkey,n_name,n_regionkey,n_comment", "lvlv", SEEDS(nation_seeds), NATIONS, true, 1, make_nation},
    {"orders",
     "o_orderkey,o_custkey,o_orderstatus,o_totalprice,o_orderdate,o_orderpriority,o_clerk,o_shippriority,o_comment",
     "llvdDvviv", SEEDS(orders_seeds), 1500000, false, 1, make_order},
    {"part", "p_partkey,p_name,p_mfgr,p_brand,p_type,p_size,p_container,p_retailprice,p_comment", "lvvvvivdv",
     SEEDS(part_seeds), 200000, false, 1, make_part},
    {"partsupp", "ps_partkey,ps_suppkey,ps_availqty,ps_supplycost,ps_comment", "llidv", SEEDS(partsupp_seeds), 200000,
     false, SUPPLIERS, make_part_suppliers},
    {"region", "r_regionkey,r_name,r_comment", "lvv", SEEDS(region_seeds), ARRAY_LEN(regions), true, 1, make_region},
    {"supplier", "s_suppkey,s_name,s_address,s_nationkey,s_phone,s_acctbal,s_comment", "lvvlvdv", SEEDS(supplier_seeds),
     10000, false, 1, make_supplier},
};

/* ---- the table function ---- */

struct bound {
    const struct table *table;
    double scale;
    int64_t count;
};

static const struct table *find_table(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LEN(tables); i++)
        if (strcmp(tables[i].name, name) == 0)
            return &tables[i];
    return NULL;
}

static void add_columns(duckdb_bind_info info, const struct table *t)
{
    const char *name = t->columns;

    for (const char *type = t->types; *type; type++) {
        static const struct {
            char letter;
            duckdb_type type;
        } types[] = {{'l', DUCKDB_TYPE_BIGINT},
                     {'i', DUCKDB_TYPE_INTEGER},
                     {'D', DUCKDB_TYPE_DATE},
                     {'d', DUCKDB_TYPE_DOUBLE},
                     {'v', DUCKDB_TYPE_VARCHAR}};
        char copy[32];
        size_t n = strcspn(name, ","), k = 0;

        while (types[k].letter != *type)
            k++;
        snprintf(copy, sizeof(copy), "%.*s", (int)n, name);
        name += n + (name[n] == ',');
        duckdb_logical_type logical = duckdb_create_logical_type(types[k].type);
        duckdb_bind_add_result_column(info, copy, logical);
        duckdb_destroy_logical_type(&logical);
    }
}

static void bind(duckdb_bind_info info)
{
    duckdb_value name = duckdb_bind_get_parameter(info, 0), scale = duckdb_bind_get_parameter(info, 1);
    char *text = duckdb_get_varchar(name);
    struct bound *b = calloc(1, sizeof(*b));

    if (!b)
        abort();
    b->table = find_table(text);
    b->scale = duckdb_get_double(scale);
    duckdb_free(text);
    duckdb_destroy_value(&name);
    duckdb_destroy_value(&scale);
    if (!b->table || !(b->scale >= DBGEN_SCALE_MIN && b->scale <= DBGEN_SCALE_MAX) || !dbgen_text()) {
        duckdb_bind_set_error(info, "dp_dbgen: no such table or scale, or its text isn't open");
        free(b);
        return;
    }
    b->count = b->table->is_fixed ? b->table->base : count_of(b->table->base, b->scale);
    add_columns(info, b->table);
    duckdb_bind_set_cardinality(info, (idx_t)(b->count * (b->table->rows_max + 1) / 2), false);
    duckdb_bind_set_bind_data(info, b, free);
}

static int64_t range_of(const struct table *t)
{
    return RANGE_ROWS / t->rows_max;
}

/* The next range to hand out. */
static void init(duckdb_init_info info)
{
    const struct bound *b = duckdb_init_get_bind_data(info);
    _Atomic int64_t *next = calloc(1, sizeof(*next));

    if (!next)
        abort();
    duckdb_init_set_max_threads(info, (idx_t)(b->count / range_of(b->table) + 1));
    duckdb_init_set_init_data(info, next, free);
}

static void init_thread(duckdb_init_info info)
{
    struct scan *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    duckdb_init_set_init_data(info, s, free);
}

static bool take_range(const struct bound *b, _Atomic int64_t *next, struct scan *s)
{
    int64_t range = range_of(b->table);

    s->index = atomic_fetch_add(next, range);
    if (s->index >= b->count)
        return false;
    s->end = s->index + range < b->count ? s->index + range : b->count;
    s->scale = b->scale;
    start(s->streams, b->table->seeds, b->table->stream_count, s->index);
    return true;
}

static void fill(duckdb_function_info info, duckdb_data_chunk chunk)
{
    const struct bound *b = duckdb_function_get_bind_data(info);
    struct scan *s = duckdb_function_get_local_init_data(info);
    const struct table *t = b->table;
    size_t room = duckdb_vector_size() - (size_t)t->rows_max;
    duckdb_vector vectors[COLUMNS_MAX];
    void *data[COLUMNS_MAX];
    struct out to = {.chunk = chunk, .vectors = vectors, .data = data};

    for (idx_t i = 0, n = duckdb_data_chunk_get_column_count(chunk); i < n && i < COLUMNS_MAX; i++) {
        vectors[i] = duckdb_data_chunk_get_vector(chunk, i);
        data[i] = duckdb_vector_get_data(vectors[i]);
    }
    if (s->index < s->end || take_range(b, duckdb_function_get_init_data(info), s)) {
        for (; s->index < s->end && to.rows <= room; s->index++) {
            next_row(s->streams, t->stream_count);
            t->make(s, &to);
        }
    }
    duckdb_data_chunk_set_size(chunk, to.rows);
}

int dbgen_register(duckdb_connection c, struct err *err)
{
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_logical_type name = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_logical_type scale = duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    duckdb_state state;

    duckdb_table_function_set_name(f, "dp_dbgen");
    duckdb_table_function_add_parameter(f, name);
    duckdb_table_function_add_parameter(f, scale);
    duckdb_table_function_set_bind(f, bind);
    duckdb_table_function_set_init(f, init);
    duckdb_table_function_set_local_init(f, init_thread);
    duckdb_table_function_set_function(f, fill);
    state = duckdb_register_table_function(c, f);
    duckdb_destroy_logical_type(&name);
    duckdb_destroy_logical_type(&scale);
    duckdb_destroy_table_function(&f);
    return state == DuckDBSuccess ? 0 : err_set(err, ERR_INTERNAL, "the SQL engine refuses the function dp_dbgen");
}
