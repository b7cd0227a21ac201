#include "cli/cli.h"

enum { ANSWER_MS = 10000 };

static void print_json(const struct spec *s, const json_t *status)
{
    BUF_SCOPED struct buf text;
    struct json_writer w;

    buf_init(&text, 1 << 20);
    json_writer_init(&w, &text);
    json_open_object(&w);
    json_key(&w, "running");
    json_add_bool(&w, status != NULL);
    json_key(&w, "healthy");
    json_add_bool(&w, json_opt_bool(status, "healthy", false));
    json_key(&w, "data");
    json_add_str(&w, s->data_dir);
    if (status) {
        json_key(&w, "supervisor");
        json_open_object(&w);
        json_key(&w, "pid");
        json_add_i64(&w, json_opt_i64(status, "pid", 0));
        json_key(&w, "uptimeMs");
        json_add_i64(&w, json_opt_i64(status, "uptimeMs", 0));
        json_key(&w, "memoryBytes");
        json_add_i64(&w, json_opt_i64(status, "memoryBytes", 0));
        json_close_object(&w);
    }
    json_key(&w, "services");
    if (status)
        json_add_value(&w, json_object_get(status, "services"));
    else
        json_add_raw(&w, STR("[]"));
    json_close_object(&w);
    printf("%s\n", buf_cstr(&text));
}

int cli_status(struct cli *c)
{
    JSON_SCOPED json_t *status = NULL;
    struct err err = {0};
    const char *format = cli_option(c, "output");
    bool as_json = format && strcmp(format, "json") == 0;
    struct spec *s;
    int code = cli_load(c, &s);

    if (code != EXIT_OK)
        return code;
    if (format && !as_json && strcmp(format, "table") != 0) {
        cli_failf("--output: expected table or json, found %s", format);
        return EXIT_USAGE;
    }
    int rc = supervisor_request(arena_cstr(&c->arena, s->data_dir), "status", NULL, ANSWER_MS, &status, &err);
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return cli_fail(&err);
    if (as_json)
        print_json(s, status);
    else if (status)
        report_services(&c->arena, s, status, stdout);
    else
        cli_failf("%s: `dataplatform up` starts it", err.message);
    if (!status)
        return EXIT_NOT_RUNNING;
    if (json_opt_bool(status, "healthy", false))
        return EXIT_OK;
    if (!as_json)
        report_unhealthy(&c->arena, s, status, stderr);
    return EXIT_FAILED;
}
