/* What the HTTP handlers of the flow service share: the Task Execution API (execution.c) and the REST API v2 (rest_*.c). */
#ifndef FLOW_API_H
#define FLOW_API_H

#include "flow/flow.h"
#include "http/router.h"

struct flow_api { /* the context of all routes */
    struct flow *flow;
    struct db *db;
};

/* Routes of the service's own bits (http_route.flags). */
enum { FLOW_ROUTE_TASK = HTTP_ROUTE_OWN }; /* needs a task's token */

extern const struct http_route execution_routes[];
extern const size_t execution_route_count;
/* For routes with FLOW_ROUTE_TASK: checks the token; c->state is then the id of the try. False: 401 was sent. */
bool execution_authenticate(struct flow_api *api, struct http_call *c);

/* {"detail": …} with exactly the content type that the SDK compares. */
void api_fail(struct http_call *c, int status, struct str message);
void api_fail_err(struct http_call *c, const struct err *err);
/* Takes the buffer over. */
void api_answer(struct http_call *c, int status, struct buf *body);
void api_answer_empty(struct http_call *c, int status);
/* The body as a JSON object; 422 was sent when it is none (false). The caller owns it. */
bool api_body(struct http_call *c, json_t **ret);
/* An instant as Airflow's API writes it: "2026-11-25T12:00:00Z", with microseconds when there are some; null: NO_TIME. */
void api_add_time(struct json_writer *w, int64_t us);

#endif
