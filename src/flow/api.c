#include "flow/api.h"

#include "base/clock.h"
#include "base/log.h"

enum { ANSWER_MAX = 64 << 20 };

static struct http_response *new_response(struct http_call *c, int status)
{
    return http_response_new(c->request, status);
}

void api_answer(struct http_call *c, int status, struct buf *body)
{
    struct err err = {0};

    if (buf_check(body, "the answer", &err) < 0) {
        buf_release(body);
        api_fail_err(c, &err);
        return;
    }
    http_respond_buf(c->request, new_response(c, status), "application/json", body);
}

void api_answer_empty(struct http_call *c, int status)
{
    http_respond_empty(c->request, new_response(c, status));
}

void api_fail(struct http_call *c, int status, struct str message)
{
    struct json_writer w;
    struct buf body;

    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "detail");
    json_add_str(&w, message);
    json_close_object(&w);
    http_respond_buf(c->request, new_response(c, status), "application/json", &body);
}

void api_fail_err(struct http_call *c, const struct err *err)
{
    int status;

    switch (err->code) {
    case ERR_NOT_FOUND:
        status = 404;
        break;
    case ERR_EXISTS:
    case ERR_CONFLICT:
        status = 409;
        break;
    case ERR_INVALID:
    case ERR_LIMIT:
        status = 422;
        break;
    case ERR_DENIED:
        status = 403;
        break;
    case ERR_UNAVAILABLE:
        status = 503;
        break;
    default:
        status = 500;
        log_error("%.*s %.*s: %s", STR_ARG(c->request->method), STR_ARG(c->request->raw_path), err->message);
    }
    api_fail(c, status, str_from_cstr(err->message));
}

bool api_body(struct http_call *c, json_t **ret)
{
    json_t *body;
    struct err err = {0};

    if (json_parse(c->body, &body, &err) < 0) {
        api_fail(c, 422, str_from_cstr(err.message));
        return false;
    }
    if (!json_is_object(body)) {
        json_decref(body);
        api_fail(c, 422, STR("the body is a JSON object"));
        return false;
    }
    *ret = body;
    return true;
}

void api_add_time(struct json_writer *w, int64_t us)
{
    struct clock_civil t;
    char text[64], micros[16] = "";

    if (us == NO_TIME) {
        json_add_null(w);
        return;
    }
    clock_civil_from_us(us, &t);
    if (t.micros)
        snprintf(micros, sizeof(micros), ".%06d", t.micros);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%sZ", (int)t.year, t.month, t.day, t.hour, t.minute,
             t.second, micros);
    json_add_cstr(w, text);
}
