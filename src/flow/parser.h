/* The parser: a Python process that has imported Airflow and forks for each DAG file (python/parser.py). */
#ifndef FLOW_PARSER_H
#define FLOW_PARSER_H

#include "base/json.h"

struct parser;

struct parser_options {
    const char *python, *script, *home;
    int timeout_s; /* of one file; 0: 30, as core.dagbag_import_timeout */
};

MUST_CHECK int parser_new(const struct parser_options *o, struct parser **ret, struct err *err);
void parser_free(struct parser *p);
/* {"dags": [{"dag": document, …}], "errors": text or null}; the caller's. Not for two threads at a time. A parser that died is
 * started again: ERR_UNAVAILABLE then, try once more. */
MUST_CHECK int parser_parse(struct parser *p, const char *folder, struct str bundle, struct str path, json_t **ret,
                            struct err *err);

#endif
