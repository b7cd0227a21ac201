/*
 * The page where the code that a device shows is typed (RFC 8628, 3.3). What follows is a login like others, but consent is
 * always asked: the one who has the device may not be the one who types its code.
 */
#include "identity/login/internal.h"

static void show(struct visit *v, int status, struct str code, struct str error)
{
    struct str self = arena_printf(v->a, "%.*s/device", STR_ARG(v->issuer));

    visit_respond_page(v, status, "device", "oauth2DeviceVerificationTitle", STR_NULL, self,
                       json_pack("{s:o, s:o, s:o}", "action", visit_json(self), "userCode", visit_json(code), "error",
                                 visit_json(error)));
}

static void verify(struct visit *v, struct str code)
{
    struct event e = event_of(v->realm, "OAUTH2_DEVICE_VERIFY_USER_CODE", STR_NULL, v->ip);
    struct device_code device;
    struct flow flow = {.max_age = -1};
    struct err err = {0};
    int wait_s;

    if (brute_check(v->context->brute, v->realm, NULL, v->ip, v->now * 1000, &wait_s) == BRUTE_ADDRESS) {
        event_fail(v->context->events, &e, "too_many_failures_from_address");
        visit_respond_too_many(v, wait_s);
        return;
    }
    if (device_code_of_user(v->context->sessions, v->realm, v->a, code, &device, &err) < 0) {
        brute_failed(v->context->brute, v->realm, NULL, v->ip, v->now * 1000);
        event_fail(v->context->events, &e, "invalid_oauth2_user_code");
        show(v, 400, STR_NULL, visit_text(v, "oauth2DeviceInvalidUserCodeMessage", STR_NULL));
        return;
    }
    const struct client *c = realm_client_by_id(v->realm, device.client_id);
    if (!c || !c->enabled || !c->device_flow) {
        event_fail(v->context->events, &e, "not_allowed");
        visit_respond_error(v, 400, "oauth2DeviceAuthorizationGrantDisabledMessage", STR_NULL);
        return;
    }
    e.client_id = c->client_id;
    event_write(v->context->events, &e);
    flow.text[FLOW_REALM] = v->realm->id;
    flow.text[FLOW_CLIENT] = c->id;
    flow.text[FLOW_SCOPE] = device.scope;
    flow.text[FLOW_NONCE] = device.nonce;
    flow.text[FLOW_USER_CODE] = device.user_code;
    if (flow_begin(v, &flow, c, STR_NULL, &err) < 0)
        visit_respond_failure(v, &err);
}

void get_device(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;

    if (!visit_begin(&v, ctx, call))
        return;
    struct str code = http_form_get(&v.query, "user_code");
    if (str_is_empty(code))
        show(&v, 200, STR_NULL, STR_NULL);
    else
        verify(&v, code);
}

void post_device(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;

    if (!visit_begin(&v, ctx, call) || visit_refuse_foreign(&v))
        return;
    verify(&v, str_trim(http_form_get(&v.form, "device_user_code")));
}

void get_device_status(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;

    if (!visit_begin(&v, ctx, call))
        return;
    struct str error = http_form_get(&v.query, "error");
    const char *title = str_is_null(error) ? "oauth2DeviceVerificationCompleteHeader"
                                           : "oauth2DeviceVerificationFailedHeader";
    const char *text = str_is_null(error)                    ? "oauth2DeviceVerificationCompleteMessage"
                       : str_eq(error, STR("access_denied")) ? "oauth2DeviceConsentDeniedMessage"
                                                             : "oauth2DeviceExpiredUserCodeMessage";
    visit_respond_page(&v, 200, "info", title, STR_NULL, STR_NULL,
                       json_pack("{s:o}", "message", visit_json(visit_text(&v, text, STR_NULL))));
}
