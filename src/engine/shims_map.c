/*
 * Shims that make maps of texts: the map's keys and its values, as lists, of which DuckDB's map() makes it.
 */
#include "base/map.h"
#include "base/vec.h"
#include "engine/shim.h"

static const char bad_argument[] = "INVALID_FUNCTION_ARGUMENT";

/* A list of texts under way. */
struct list_writer {
    struct shim_call *c;
    duckdb_vector out;
    idx_t total;
    duckdb_list_entry entry;
};

static void list_add(struct list_writer *w, struct str s)
{
    if (duckdb_list_vector_reserve(w->out, w->total + 1) != DuckDBSuccess) {
        shim_fail(w->c, "EXCEEDED_FUNCTION_MEMORY_LIMIT", "The list of entries is too large");
        return;
    }
    duckdb_unsafe_vector_assign_string_element_len(duckdb_list_vector_get_child(w->out), w->total, s.p ? s.p : "", s.n);
    w->total++;
    w->entry.length++;
}

/* split_to_map(text, between entries, between key and value): keys or values. */
static void split_entries(bool keys, duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    struct list_writer w = {.c = &c, .out = out};

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str rest = shim_str(&c, 0, row), entries = shim_str(&c, 1, row), pairs = shim_str(&c, 2, row);
        struct map seen = MAP_INIT;

        w.entry = (duckdb_list_entry){.offset = w.total, .length = 0};
        if (entries.n == 0 || pairs.n == 0 || str_eq(entries, pairs))
            shim_fail(&c, bad_argument,
                      entries.n == 0 ? "entryDelimiter is empty"
                      : pairs.n == 0 ? "keyValueDelimiter is empty"
                                     : "entryDelimiter and keyValueDelimiter must not be the same");
        while (rest.n > 0 && !c.failed) {
            size_t end = str_find(rest, entries, 0), middle;
            struct str entry = end == SIZE_MAX ? rest : str_slice(rest, 0, end);

            rest = end == SIZE_MAX ? STR_NULL : str_skip(rest, end + entries.n);
            middle = str_find(entry, pairs, 0);
            if (middle == SIZE_MAX || str_find(entry, pairs, middle + pairs.n) != SIZE_MAX) {
                shim_fail(&c, bad_argument,
                          "Key-value delimiter must appear exactly once in each entry. Bad input: '%.*s'",
                          STR_ARG(entry));
                break;
            }
            struct str key = str_slice(entry, 0, middle);
            if (map_set(&seen, key, &seen)) {
                shim_fail(&c, bad_argument, "Duplicate keys (%.*s) are not allowed", STR_ARG(key));
                break;
            }
            list_add(&w, keys ? key : str_skip(entry, middle + pairs.n));
        }
        map_release(&seen);
        SHIM_OUT(&c, duckdb_list_entry, row) = w.entry;
    }
    duckdb_list_vector_set_size(out, w.total);
}

static void split_keys(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    split_entries(true, info, in, out);
}

static void split_values(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    split_entries(false, info, in, out);
}

const struct shim shims_map[] = {
    SHIM("dp_split_keys", "vvv", 'V', split_keys),
    SHIM("dp_split_values", "vvv", 'V', split_values),
};
const size_t shims_map_count = ARRAY_LEN(shims_map);
