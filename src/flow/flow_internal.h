/* What the files of the core share. Private to them. */
#ifndef FLOW_FLOW_INTERNAL_H
#define FLOW_FLOW_INTERNAL_H

#include "flow/executor.h"
#include "flow/flow.h"
#include "flow/parser.h"
#include "flow/store_internal.h"

#include <pthread.h>

struct active_run {
    struct flow *flow;
    struct arena arena; /* of the row's texts and the instances' rows */
    struct run_row row;
    struct run run; /* task_instance.row is a struct instance_row */
    bool has_instances;
};

struct known_dag {
    struct arena arena;
    struct dag_row row; /* row.dag: a reference, or NULL when it can't be read */
    int running;        /* runs in that state */
};

struct flow {
    struct flow_options o;
    struct arena arena;
    struct executor *executor;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t wake;
    struct map dags; /* id to struct known_dag */
    VEC(struct active_run *) runs;
    int executing;
    int64_t launches;
    bool is_stopping, is_poked;
    pthread_t thread;

    pthread_mutex_t parse_lock; /* parsing: one at a time */
    struct parser *parser;
    struct map files; /* path below the folder to what was seen of it */
};

static inline struct instance_row *row_of(const struct task_instance *ti)
{
    return ti->row;
}

/* All with f->lock held. */
/* Decides, stores and dispatches until nothing happens any more. */
MUST_CHECK int flow_advance(struct active_run *r, struct err *err);
MUST_CHECK int flow_reload_dags(struct flow *f, struct err *err);
MUST_CHECK int flow_dispatch(struct flow *f, struct err *err);
void flow_poke(struct flow *f);
/* A process ended; its instance may not have said how. `launch`: as flow_launch_name made it. */
void flow_process_ended(void *flow, const char *launch, int code, int signal);
enum { LAUNCH_NAME_SIZE = UUID_TEXT_SIZE + 24 };
void flow_launch_name(const struct instance_row *row, char out[LAUNCH_NAME_SIZE]);
void flow_make_token(const struct flow *f, const char *id, struct buf *to);
void flow_forget_files(struct flow *f);
struct known_dag *flow_known_dag(const struct flow *f, struct str id);

#endif
