/*
 * The core of the flow service with the Task Execution API on a free port, driven by lines on standard input, for
 * tests/client/flow:
 *
 *   flow_server FOLDER PYTHON SCRIPTS
 *   parse | unpause DAG | trigger DAG RUN | states DAG RUN | dags | quit
 *
 * Each is answered by one line.
 */
#include "flow/api.h"

#include "base/log.h"
#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>

static bool before(void *ctx, struct http_call *c)
{
    return !(c->route->flags & FLOW_ROUTE_TASK) || execution_authenticate(ctx, c);
}

static void refuse(void *ctx, struct http_request *r, int status, const char *allow)
{
    struct http_response *p = http_response_new(r, status);

    (void)ctx;
    if (allow)
        http_response_add(r, p, "Allow", str_from_cstr(allow));
    http_respond_text(r, p, "application/json", STR("{\"detail\":\"Not Found\"}"));
}

static _Noreturn void give_up(const struct err *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void print_states(struct flow_api *api, const char *dag_id, const char *run_id)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_conn *c;
    struct run_row run;
    struct instance_row *rows;
    struct err err = {0};
    size_t n;

    if (db_acquire(api->db, &c, &err) < 0 ||
        store_find_run(c, &a, str_from_cstr(dag_id), str_from_cstr(run_id), &run, &err) < 0 ||
        store_load_instances(c, &a, run.id, &rows, &n, &err) < 0)
        give_up(&err);
    printf("{\"run\": \"%s\", \"tasks\": [", run_state_name(run.state).p);
    for (size_t i = 0; i < n; i++) {
        struct str s = task_state_name(rows[i].state);
        printf("%s[\"%.*s\", %d, \"%s\", %d]", i ? ", " : "", STR_ARG(rows[i].task_id), rows[i].map_index,
               s.p ? s.p : "none", rows[i].try_number);
    }
    printf("]}\n");
    db_release(c);
}

static void print_dags(struct flow_api *api)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_conn *c;
    struct dag_row *rows;
    struct err err = {0};
    size_t n;

    if (db_acquire(api->db, &c, &err) < 0 || store_list_dags(c, &a, &rows, &n, &err) < 0)
        give_up(&err);
    printf("[");
    for (size_t i = 0; i < n; i++)
        printf("%s\"%.*s\"", i ? ", " : "", STR_ARG(rows[i].id));
    printf("]\n");
    db_release(c);
}

static int obey(struct flow_api *api, char *line, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    char word[64] = "", dag[300] = "", run[300] = "";
    struct run_row row;
    int rc = 0;

    if (sscanf(line, "%63s %299s %299s", word, dag, run) < 1)
        return 0;
    if (strcmp(word, "parse") == 0)
        rc = flow_parse_files(api->flow, err);
    else if (strcmp(word, "unpause") == 0)
        rc = flow_set_paused(api->flow, str_from_cstr(dag), false, err);
    else if (strcmp(word, "trigger") == 0)
        rc = flow_trigger(api->flow, &a,
                          &(struct flow_trigger){.dag_id = str_from_cstr(dag),
                                                 .run_id = str_from_cstr(run),
                                                 .logical_us = NO_TIME,
                                                 .run_after_us = NO_TIME},
                          &row, err);
    if (rc < 0)
        printf("error: %s\n", err->message);
    else if (strcmp(word, "states") == 0)
        print_states(api, dag, run);
    else if (strcmp(word, "dags") == 0)
        print_dags(api);
    else
        printf("ok\n");
    fflush(stdout);
    return 0;
}

static const char *folder_in(struct arena *a, const char *folder, const char *name)
{
    struct err err = {0};
    const char *path = arena_printf(a, "%s/%s", folder, name).p;

    if (file_make_folders(path, 0700, &err) < 0)
        give_up(&err);
    return path;
}

int main(int argc, char **argv)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct flow_api api = {0};
    struct http_router *router;
    struct http_server *server;
    struct err err = {0};
    char line[1024];

    if (argc != 4)
        return 2;
    log_set_name("flow");
    const struct http_router_options ro = {
        .routes = execution_routes, .n = execution_route_count, .ctx = &api, .refuse = refuse, .before = before};
    const struct http_server_options so = {.address = "127.0.0.1"};
    if (db_open_sqlite(arena_printf(&a, "%s/flow.db", argv[1]).p, &api.db, &err) < 0 ||
        http_router_new(&ro, &router, &err) < 0 ||
        http_server_start(&so, &http_router_handler, router, &server, &err) < 0)
        give_up(&err);
    const struct flow_options fo = {
        .db = api.db,
        .python = argv[2],
        .scripts = argv[3],
        .home = folder_in(&a, argv[1], "home"),
        .dags = folder_in(&a, argv[1], "dags"),
        .logs = folder_in(&a, argv[1], "logs"),
        .server_url = arena_printf(&a, "http://127.0.0.1:%d/execution/", http_server_port(server)).p,
        .token_key = STR("a key of thirty-two bytes, or so"),
        .parallelism = 8,
    };
    if (flow_open(&fo, &api.flow, &err) < 0)
        give_up(&err);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0)
        if (obey(&api, line, &err) < 0)
            give_up(&err);
    http_server_stop(server, 1000);
    flow_close(api.flow);
    http_router_free(router);
    db_close(api.db);
    return 0;
}
