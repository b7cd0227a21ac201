/* A folder as the place of tables: "file:///…" locations are files, the pointer is a variable. */
#ifndef TESTS_ICEBERG_FOLDER_H
#define TESTS_ICEBERG_FOLDER_H

#include "iceberg/iceberg.h"

struct folder {
    char path[200];    /* made by mkdtemp */
    struct str mapped; /* locations that begin with `from` are read under `mapped` (NUL-terminated); null: none */
    struct str from;
    int reads, writes;
    char pointer[400]; /* the current metadata's location; "": no table */
    int conflicts;     /* so many swaps fail before one may succeed */
    int swap_error;    /* what the next swap returns instead, once */
    bool swap_happens; /* although it returns swap_error */
    struct iceberg_io io;
    struct iceberg_pointer table;
};
void folder_init(struct folder *f);
void folder_release(struct folder *f);                        /* removes the files */
int folder_count(const struct folder *f, const char *ending); /* files whose name ends so */

#endif
