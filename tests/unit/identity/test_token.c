/* What goes into tokens: scopes, protocol mappers, roles, audiences, algorithms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "fixture.h"
#include "http/server.h"
#include "identity/logout.h"

#include <pthread.h>

/* Gives a client mappers and attributes, and whatever else the JSON says. */
static void change_client(struct fixture *f, const struct client *client, const char *more)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = json_deep_copy(client->rep), *with = NULL;
    json_t *attributes = json_object_get(rep, "attributes"), *extra;
    struct realm_draft *d;

    must(f, json_parse(str_from_cstr(more), &with, &f->err));
    extra = json_object_get(with, "attributes");
    if (extra && attributes) {
        json_object_update_missing(extra, attributes);
    }
    json_object_update(rep, with);
    must(f, identity_change_begin(f->context.model, &c, &f->err));
    must(f, identity_change_realm(c, STR("dataplatform"), &d, &f->err));
    must(f, client_update(c, d, client->id, rep, &f->err));
    must(f, identity_change_commit(c, &f->err));
    fixture_realm(f);
}

static void add_mapper(struct fixture *f, const struct client *client, const char *kind, const char *config)
{
    static size_t n; /* names are unique */
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = NULL;
    struct realm_draft *d;
    struct str id;

    must(f, json_parse(arena_printf(&f->arena,
                                    "{\"name\":\"m-%s-%zu\",\"protocol\":\"openid-connect\",\"protocolMapper\":\"%s\","
                                    "\"config\":%s}",
                                    kind, ++n, kind, config),
                       &rep, &f->err));
    must(f, identity_change_begin(f->context.model, &c, &f->err));
    must(f, identity_change_realm(c, STR("dataplatform"), &d, &f->err));
    must(f, mapper_add(d, KIND_CLIENT, client->id, rep, &id, &f->err));
    must(f, identity_change_commit(c, &f->err));
    fixture_realm(f);
}

static void change_user(struct fixture *f, struct user *u, const char *text)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = NULL;

    must(f, json_parse(str_from_cstr(text), &rep, &f->err));
    must(f, identity_change_begin(f->context.model, &c, &f->err));
    must(f, user_update(c, f->realm, u->id, rep, &f->err));
    must(f, identity_change_commit(c, &f->err));
    must(f, user_by_id(f->context.model, f->realm, &f->arena, u->id, u, &f->err));
}

struct issued {
    struct token_answer answer;
    json_t *access, *id;
};

static json_t *claims(struct fixture *f, struct str token)
{
    json_t *j = NULL;
    struct jws jws;

    if (!token.p)
        return NULL;
    must(f, jws_parse(&f->arena, token, &jws, &f->err));
    must(f, json_parse(jws.payload, &j, &f->err));
    return json_keep(&f->arena, j);
}

static struct issued issue(struct fixture *f, const struct user *u, const struct client *c, const char *scope_text)
{
    struct token_scope scope;
    struct client_session cs;
    struct session s;
    struct issued r;
    struct token_request q = {.realm = f->realm,
                              .client = c,
                              .user = u,
                              .session = &s,
                              .client_session = &cs,
                              .scope = &scope,
                              .grant = TOKEN_GRANT_CODE,
                              .issuer = STR("https://id.example/realms/dataplatform"),
                              .acr = STR("1"),
                              .want_refresh = true};

    fixture_login(f, u, c, str_from_cstr(scope_text), &s, &cs);
    must(f, token_scope_resolve(f->realm, c, &f->arena, str_from_cstr(scope_text), &scope, &f->err));
    must(f, token_issue(f->tokens, &f->arena, &q, &r.answer, &f->err));
    r.access = claims(f, r.answer.access_token);
    r.id = claims(f, r.answer.id_token);
    return r;
}

static bool is(const json_t *object, const char *key, const char *text)
{
    return str_eq_cstr(json_str(json_object_get(object, key)), text);
}

/* ---- mappers ---- */

static void attributes_have_the_type_that_the_mapper_says(void **state)
{
    struct fixture *f = *state;
    struct issued t;
    json_t *cities;

    change_user(
        f, &f->alice,
        "{\"attributes\":{\"age\":[\"42\"],\"admin\":[\"true\"],\"city\":[\"Oslo\",\"Rome\"],\"bad\":[\"x\"]}}");
    add_mapper(f, f->trino, "oidc-usermodel-attribute-mapper",
               "{\"user.attribute\":\"age\",\"claim.name\":\"age\",\"jsonType.label\":\"int\",\"access.token.claim\":"
               "\"true\"}");
    add_mapper(f, f->trino, "oidc-usermodel-attribute-mapper",
               "{\"user.attribute\":\"admin\",\"claim.name\":\"is.admin\",\"jsonType.label\":\"boolean\",\"access."
               "token.claim\":\"true\"}");
    add_mapper(f, f->trino, "oidc-usermodel-attribute-mapper",
               "{\"user.attribute\":\"city\",\"claim.name\":\"https://x\\\\.y/"
               "cities\",\"multivalued\":\"true\",\"access.token.claim\":\"true\"}");
    add_mapper(f, f->trino, "oidc-usermodel-attribute-mapper",
               "{\"user.attribute\":\"bad\",\"claim.name\":\"bad\",\"jsonType.label\":\"long\",\"access.token.claim\":"
               "\"true\"}");
    t = issue(f, &f->alice, f->trino, "openid");
    assert_int_equal(json_opt_i64(t.access, "age", 0), 42);
    assert_true(json_is_true(json_object_get(json_object_get(t.access, "is"), "admin")));
    cities = json_object_get(t.access, "https://x.y/cities");
    assert_int_equal(json_array_size(cities), 2);
    assert_null(json_object_get(t.access, "bad"));
    assert_null(json_object_get(t.id, "age")); /* its configuration says so */
}

static void groups_hand_their_attributes_and_names_down(void **state)
{
    struct fixture *f = *state;
    struct issued t;

    add_mapper(f, f->trino, "oidc-group-membership-mapper",
               "{\"claim.name\":\"paths\",\"full.path\":\"true\",\"access.token.claim\":\"true\"}");
    t = issue(f, &f->alice, f->trino, "openid");
    assert_true(str_eq(json_str(json_array_get(json_object_get(t.access, "paths"), 0)), STR("/analysts")));
    assert_true(str_eq(json_str(json_array_get(json_object_get(t.access, "groups"), 0)), STR("analysts")));
    t = issue(f, &f->bob, f->trino, "openid");
    assert_null(json_object_get(t.access, "paths"));
}

static bool has_role(const json_t *list, const char *role)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (str_eq_cstr(json_str(one), role))
            return true;
    }
    return false;
}

static const json_t *realm_roles(const json_t *access)
{
    return json_object_get(json_object_get(access, "realm_access"), "roles");
}

static void roles_come_from_the_user_its_groups_and_what_they_are_composed_of(void **state)
{
    struct fixture *f = *state;
    struct issued t = issue(f, &f->alice, f->trino, "openid");

    assert_true(has_role(realm_roles(t.access), "data-engineer"));  /* the group's */
    assert_true(has_role(realm_roles(t.access), "offline_access")); /* of default-roles-dataplatform */
    assert_true(jwt_has_audience(t.access, STR("airflow")));
    t = issue(f, &f->bob, f->trino, "openid");
    assert_false(has_role(realm_roles(t.access), "data-engineer"));
    assert_false(jwt_has_audience(t.access, STR("airflow")));
}

static void a_client_without_full_scope_sees_only_the_roles_let_through(void **state)
{
    struct fixture *f = *state;
    struct issued t = issue(f, &f->alice, f->spa, "openid");

    assert_false(has_role(realm_roles(t.access), "data-engineer"));
    assert_null(json_object_get(json_object_get(t.access, "resource_access"), "airflow"));
}

static void roles_can_be_renamed_and_added_before_they_become_claims(void **state)
{
    struct fixture *f = *state;
    struct issued t;

    add_mapper(f, f->trino, "oidc-role-name-mapper", "{\"role\":\"data-engineer\",\"new.role.name\":\"de\"}");
    add_mapper(f, f->trino, "oidc-hardcoded-role-mapper", "{\"role\":\"airflow.Viewer\"}");
    add_mapper(f, f->trino, "oidc-usermodel-realm-role-mapper",
               "{\"claim.name\":\"roles\",\"multivalued\":\"true\",\"usermodel.realmRoleMapping.rolePrefix\":\"R_\","
               "\"id.token.claim\":\"true\"}");
    add_mapper(f, f->trino, "oidc-usermodel-client-role-mapper",
               "{\"claim.name\":\"airflow_roles\",\"multivalued\":\"true\",\"usermodel.clientRoleMapping.clientId\":"
               "\"airflow\",\"id.token.claim\":\"true\"}");
    t = issue(f, &f->alice, f->trino, "openid");
    assert_true(has_role(realm_roles(t.access), "de"));
    assert_false(has_role(realm_roles(t.access), "data-engineer"));
    assert_true(has_role(json_object_get(t.id, "roles"), "R_de"));
    assert_true(has_role(json_object_get(t.id, "airflow_roles"), "Admin"));
    assert_true(has_role(json_object_get(t.id, "airflow_roles"), "Viewer"));
}

static void notes_addresses_and_fixed_claims_are_mapped(void **state)
{
    struct fixture *f = *state;
    struct issued t;

    change_user(f, &f->alice, "{\"attributes\":{\"street\":[\"Main 1\"],\"country\":[\"NO\"]}}");
    add_mapper(f, f->trino, "oidc-hardcoded-claim-mapper",
               "{\"claim.name\":\"limits\",\"claim.value\":\"{\\\"cpu\\\":2}\",\"jsonType.label\":\"JSON\",\"access."
               "token.claim\":\"true\"}");
    add_mapper(f, f->trino, "oidc-audience-mapper",
               "{\"included.custom.audience\":\"https://api.example\",\"access.token.claim\":\"true\"}");
    add_mapper(f, f->trino, "oidc-session-state-mapper", "{\"access.token.claim\":\"true\"}");
    t = issue(f, &f->alice, f->trino, "openid address");
    assert_int_equal(json_opt_i64(json_object_get(t.access, "limits"), "cpu", 0), 2);
    assert_true(jwt_has_audience(t.access, STR("https://api.example")));
    assert_true(is(json_object_get(t.access, "address"), "street_address", "Main 1"));
    assert_true(is(json_object_get(t.access, "address"), "country", "NO"));
    assert_true(json_is_integer(json_object_get(t.access, "auth_time")));
    assert_true(str_eq(json_str(json_object_get(t.access, "session_state")), t.answer.session_state));
}

static void a_mapper_of_a_kind_that_we_lack_leaves_the_rest_alone(void **state)
{
    struct fixture *f = *state;
    struct issued t;

    add_mapper(f, f->trino, "script-of-somebody", "{\"claim.name\":\"x\",\"access.token.claim\":\"true\"}");
    t = issue(f, &f->alice, f->trino, "openid");
    assert_null(json_object_get(t.access, "x"));
    assert_true(is(t.access, "preferred_username", "alice"));
}

/* ---- clients' settings ---- */

static void a_lightweight_token_has_next_to_nothing_in_it(void **state)
{
    struct fixture *f = *state;
    struct token_expect expect = {.kind = TOKEN_ACCESS, .issuer = STR("https://id.example/realms/dataplatform")};
    struct issued t;
    struct token v;

    change_client(f, f->trino, "{\"attributes\":{\"client.use.lightweight.access.token.enabled\":\"true\"}}");
    t = issue(f, &f->alice, f->trino, "openid");
    assert_true(str_starts_with(json_str(json_object_get(t.access, "jti")), STR("onltac:")));
    assert_null(json_object_get(t.access, "sub"));
    assert_null(json_object_get(t.access, "realm_access"));
    assert_null(json_object_get(t.access, "preferred_username"));
    must(f, token_verify(f->tokens, f->realm, &f->arena, t.answer.access_token, &expect, &v, &f->err));
    assert_true(str_eq(v.user.username, STR("alice"))); /* by its session */
}

static void a_client_chooses_lifetime_and_algorithm(void **state)
{
    struct fixture *f = *state;
    struct issued t;
    struct jws jws;

    change_client(f, f->trino,
                  "{\"attributes\":{\"access.token.lifespan\":\"77\",\"id.token.signed.response.alg\":\"HS512\","
                  "\"access.token.header.type.rfc9068\":\"true\",\"token.response.type.bearer.lower-case\":\"true\"}}");
    t = issue(f, &f->alice, f->trino, "openid");
    assert_int_equal(t.answer.expires_in, 77);
    assert_true(str_eq(t.answer.token_type, STR("bearer")));
    must(f, jws_parse(&f->arena, t.answer.access_token, &jws, &f->err));
    assert_true(str_eq(jws.typ, STR("at+jwt")));
    must(f, jws_parse(&f->arena, t.answer.id_token, &jws, &f->err));
    assert_int_equal(jws.alg, JOSE_HS512);
}

static void a_token_ends_with_its_session_at_the_latest(void **state)
{
    struct fixture *f = *state;
    struct issued t;

    fixture_settings(f, "{\"ssoSessionMaxLifespan\":100,\"accessTokenLifespan\":600}");
    t = issue(f, &f->alice, f->trino, "openid");
    assert_int_equal(t.answer.expires_in, 100);
    assert_int_equal(t.answer.refresh_expires_in, 100);
}

static void scopes_are_the_default_ones_and_the_optional_ones_asked_for(void **state)
{
    struct fixture *f = *state;
    struct token_scope s;

    must(f, token_scope_resolve(f->realm, f->trino, &f->arena, STR_NULL, &s, &f->err));
    assert_false(s.openid);
    assert_true(str_find(s.text, STR("roles"), 0) == SIZE_MAX); /* include.in.token.scope=false */
    assert_true(str_find(s.all, STR("roles"), 0) != SIZE_MAX);
    must(f, token_scope_resolve(f->realm, f->trino, &f->arena, STR("openid  phone email"), &s, &f->err));
    assert_true(s.openid && str_find(s.text, STR("phone"), 0) != SIZE_MAX);
    assert_int_equal(token_scope_resolve(f->realm, f->trino, &f->arena, STR("openid nosuch"), &s, &f->err),
                     ERR_INVALID);
    assert_string_equal(f->err.message, "Invalid scopes: openid nosuch");
}

/* ---- back-channel logout ---- */

static struct receiver {
    struct http_server *server;
    pthread_mutex_t lock;
    char body[8192];
    int calls, failures;
} receiver = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void receive_piece(void *ctx, struct http_request *r, struct str piece)
{
    (void)ctx;
    (void)r;
    pthread_mutex_lock(&receiver.lock);
    (void)snprintf(receiver.body, sizeof(receiver.body), "%.*s", STR_ARG(piece));
    pthread_mutex_unlock(&receiver.lock);
}

static void receive(void *ctx, struct http_request *r)
{
    int status;

    (void)ctx;
    pthread_mutex_lock(&receiver.lock);
    receiver.calls++;
    status = receiver.failures-- > 0 ? 503 : 204;
    pthread_mutex_unlock(&receiver.lock);
    http_respond_empty(r, http_response_new(r, status));
}

static void logging_out_tells_the_client_until_it_has_heard(void **state)
{
    const struct http_handler h = {.body = receive_piece, .finish = receive};
    const struct http_server_options o = {.address = "127.0.0.1"};
    struct fixture *f = *state;
    struct client_session cs;
    struct logout *l;
    struct session s;
    json_t *c;

    must(f, http_server_start(&o, &h, NULL, &receiver.server, &f->err));
    receiver.failures = 1;
    receiver.calls = 0;
    change_client(f, f->trino,
                  arena_printf(&f->arena,
                               "{\"attributes\":{\"backchannel.logout.url\":\"http://127.0.0.1:%d/bye\","
                               "\"backchannel.logout.session.required\":\"true\"}}",
                               http_server_port(receiver.server))
                      .p);
    must(f, logout_open(&f->context, &l, &f->err));
    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    must(f, logout_session(l, f->realm, STR("https://id.example/realms/dataplatform"), s.id, &f->err));
    assert_int_equal(session_get(f->context.sessions, f->realm, &f->arena, s.id, false, &s, &f->err), ERR_NOT_FOUND);
    logout_close(l, 10000);
    assert_int_equal(receiver.calls, 2);
    assert_true(str_starts_with(str_from_cstr(receiver.body), STR("logout_token=")));
    c = claims(f, str_skip(str_from_cstr(receiver.body), STR("logout_token=").n));
    assert_true(is(c, "aud", "trino"));
    assert_true(str_eq(json_str(json_object_get(c, "sid")), s.id));
    assert_true(str_eq(json_str(json_object_get(c, "sub")), f->alice.id));
    assert_null(json_object_get(c, "nonce"));
    assert_int_equal(json_object_size(json_object_get(c, "events")), 1);
    must(f, logout_open(&f->context, &l, &f->err));
    must(f, logout_session(l, f->realm, STR("https://id.example/realms/dataplatform"), s.id,
                           &f->err)); /* again: no error */
    logout_close(l, 1000);
    assert_int_equal(receiver.calls, 2);
    http_server_stop(receiver.server, 1000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(attributes_have_the_type_that_the_mapper_says),
        T(groups_hand_their_attributes_and_names_down),
        T(roles_come_from_the_user_its_groups_and_what_they_are_composed_of),
        T(a_client_without_full_scope_sees_only_the_roles_let_through),
        T(roles_can_be_renamed_and_added_before_they_become_claims),
        T(notes_addresses_and_fixed_claims_are_mapped),
        T(a_mapper_of_a_kind_that_we_lack_leaves_the_rest_alone),
        T(a_lightweight_token_has_next_to_nothing_in_it),
        T(a_client_chooses_lifetime_and_algorithm),
        T(a_token_ends_with_its_session_at_the_latest),
        T(scopes_are_the_default_ones_and_the_optional_ones_asked_for),
        T(logging_out_tells_the_client_until_it_has_heard),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
