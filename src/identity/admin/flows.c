/*
 * Authentication flows as Keycloak's console and clients read them. Ours are fixed: how a login goes isn't configured by
 * flows, and changing them says so. Required actions can be switched on and off.
 */
#include "base/hash.h"
#include "base/uuid.h"
#include "identity/admin/internal.h"

enum choices { CHOICES_ALL, CHOICE_REQUIRED, CHOICES_ON_OFF };

static const struct authenticator {
    const char *id, *name;
    enum choices choices;
    bool configurable;
} authenticators[] = {
#define AUTHENTICATOR(id, name, choices, configurable) {id, name, choices, configurable},
#include "identity/admin/authenticators.def"
#undef AUTHENTICATOR
};

static const struct authenticator *find_authenticator(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(authenticators); i++)
        if (str_eq_cstr(id, authenticators[i].id))
            return &authenticators[i];
    return NULL;
}

static json_t *find_flow(const struct realm *r, struct str alias)
{
    size_t n;
    json_t *const *docs = realm_docs(r, KIND_FLOW, &n);

    for (size_t i = 0; i < n; i++)
        if (str_eq(json_opt_str(docs[i], "alias", STR("")), alias))
            return docs[i];
    return NULL;
}

ADMIN(admin_list_flows, MAY_VIEW_REALM)
{
    size_t n;
    json_t *const *docs = realm_docs(a->realm, KIND_FLOW, &n);
    json_t *list = json_array();

    (void)err;
    for (size_t i = 0; i < n; i++)
        if (json_opt_bool(docs[i], "topLevel", false) &&
            !str_eq(json_opt_str(docs[i], "alias", STR("")), STR("saml ecp"))) /* Keycloak doesn't list it */
            json_array_append_new(list, doc_rep(docs[i]));
    return admin_answer(a, list);
}

ADMIN(admin_get_flow, MAY_VIEW_REALM)
{
    json_t *doc = realm_doc(a->realm, KIND_FLOW, admin_param(a, "flow"));

    return doc ? admin_answer(a, doc_rep(doc)) : err_set(err, ERR_NOT_FOUND, "Could not find flow with id");
}

/* Exports don't say the ids of executions: ours are made of the flow's and the place in it, and so stay the same. */
static void execution_id(const json_t *flow, size_t at, char out[UUID_TEXT_SIZE])
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    unsigned char digest[HASH_MAX_SIZE];
    struct str text = arena_printf(&a, "%.*s/%zu", STR_ARG(json_opt_str(flow, "id", STR(""))), at);

    hash_bytes(HASH_SHA256, text, digest);
    uuid_format(digest, out);
}

static json_t *choices_of(enum choices c, bool is_flow)
{
    if (c == CHOICE_REQUIRED)
        return json_pack("[s]", "REQUIRED");
    if (c == CHOICES_ON_OFF)
        return json_pack("[s, s]", "REQUIRED", "DISABLED");
    return is_flow ? json_pack("[s, s, s, s]", "REQUIRED", "ALTERNATIVE", "DISABLED", "CONDITIONAL")
                   : json_pack("[s, s, s]", "REQUIRED", "ALTERNATIVE", "DISABLED");
}

static json_t *find_config(const struct realm *r, struct str alias)
{
    size_t n;
    json_t *const *docs = realm_docs(r, KIND_FLOW_CONFIG, &n);

    for (size_t i = 0; alias.n && i < n; i++)
        if (str_eq(json_opt_str(docs[i], "alias", STR("")), alias))
            return docs[i];
    return NULL;
}

static json_t *execution_rep(const struct realm *r, const json_t *flow, size_t at, int level, size_t index)
{
    const json_t *e = json_array_get(json_object_get(flow, "authenticationExecutions"), at);
    const json_t *sub = find_flow(r, json_opt_str(e, "flowAlias", STR("")));
    const json_t *config = find_config(r, json_opt_str(e, "authenticatorConfig", STR("")));
    struct str provider = json_opt_str(e, "authenticator", STR_NULL);
    const struct authenticator *known = find_authenticator(provider);
    json_t *rep = json_object();
    char id[UUID_TEXT_SIZE];

    execution_id(flow, at, id);
    json_object_set_new(rep, "id", json_string(id));
    json_put_str(rep, "requirement", json_opt_str(e, "requirement", STR("DISABLED")));
    json_put_str(rep, "displayName",
                 sub     ? json_opt_str(sub, "alias", STR(""))
                 : known ? str_from_cstr(known->name)
                         : provider);
    if (sub && json_object_get(sub, "description"))
        json_object_set(rep, "description", json_object_get(sub, "description"));
    json_object_set_new(rep, "requirementChoices", choices_of(known ? known->choices : CHOICES_ALL, sub != NULL));
    json_object_set_new(rep, "configurable", json_boolean(!sub && known && known->configurable));
    if (sub)
        json_object_set_new(rep, "authenticationFlow", json_true());
    if (!str_is_null(provider))
        json_put_str(rep, "providerId", provider);
    if (config)
        json_object_set(rep, "authenticationConfig", json_object_get(config, "id"));
    if (sub)
        json_object_set(rep, "flowId", json_object_get(sub, "id"));
    json_object_set_new(rep, "level", json_integer(level));
    json_object_set_new(rep, "index", json_integer((json_int_t)index));
    json_object_set_new(rep, "priority", json_integer(json_opt_i64(e, "priority", 0)));
    return rep;
}

/* Flows of an import may name each other in circles: the depth is bounded. */
static void list_executions(const struct realm *r, const json_t *flow, int level, json_t *list)
{
    size_t n = json_array_size(json_object_get(flow, "authenticationExecutions"));

    for (size_t i = 0; i < n && level < 16 && json_array_size(list) < 1000; i++) {
        const json_t *e = json_array_get(json_object_get(flow, "authenticationExecutions"), i);
        const json_t *sub = find_flow(r, json_opt_str(e, "flowAlias", STR("")));
        json_array_append_new(list, execution_rep(r, flow, i, level, i));
        if (sub)
            list_executions(r, sub, level + 1, list);
    }
}

ADMIN(admin_list_executions, MAY_VIEW_REALM)
{
    const json_t *flow = find_flow(a->realm, admin_param(a, "flow"));
    json_t *list;

    if (!flow)
        return err_set(err, ERR_NOT_FOUND, "Flow not found");
    list = json_array();
    list_executions(a->realm, flow, 0, list);
    return admin_answer(a, list);
}

ADMIN(admin_get_execution, MAY_VIEW_REALM)
{
    size_t n;
    json_t *const *flows = realm_docs(a->realm, KIND_FLOW, &n);

    for (size_t i = 0; i < n; i++) {
        const json_t *executions = json_object_get(flows[i], "authenticationExecutions");
        for (size_t k = 0; k < json_array_size(executions); k++) {
            char id[UUID_TEXT_SIZE];
            execution_id(flows[i], k, id);
            if (!str_eq_cstr(admin_param(a, "execution"), id))
                continue;
            json_t *rep = json_copy(json_array_get(executions, k));
            json_object_set_new(rep, "id", json_string(id));
            json_object_set(rep, "parentFlow", json_object_get(flows[i], "id"));
            return admin_answer(a, rep);
        }
    }
    return err_set(err, ERR_NOT_FOUND, "Illegal execution");
}

ADMIN(admin_get_flow_config, MAY_VIEW_REALM)
{
    json_t *doc = realm_doc(a->realm, KIND_FLOW_CONFIG, admin_param(a, "config"));

    return doc ? admin_answer(a, doc_rep(doc)) : err_set(err, ERR_NOT_FOUND, "Could not find authenticator config");
}

ADMIN(admin_change_flows, MAY_MANAGE_REALM)
{
    (void)a;
    return err_set(err, ERR_UNSUPPORTED,
                   "authentication flows can't be changed: own flows and executions are not supported");
}

static bool is_client_authenticator(const char *id)
{
    return strncmp(id, "client-", 7) == 0 || strcmp(id, "federated-jwt") == 0;
}

static int list_providers(struct admin_call *a, bool of_clients)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ARRAY_LEN(authenticators); i++) {
        if (is_client_authenticator(authenticators[i].id) != of_clients)
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", authenticators[i].id, "displayName",
                                              authenticators[i].name, "description", authenticators[i].name));
    }
    return admin_answer(a, list);
}

ADMIN(admin_list_authenticators, MAY_VIEW_REALM)
{
    (void)err;
    return list_providers(a, false);
}

ADMIN(admin_list_client_authenticators, MAY_VIEW_REALM)
{
    (void)err;
    return list_providers(a, true);
}

/* ---- required actions ---- */

static json_t *action_rep(const json_t *doc)
{
    json_t *rep = doc_rep(doc);

    json_object_del(rep, "id");
    return rep;
}

static int by_priority(const void *x, const void *y)
{
    int64_t p = json_opt_i64(*(json_t *const *)x, "priority", 0), q = json_opt_i64(*(json_t *const *)y, "priority", 0);
    return (p > q) - (p < q);
}

ADMIN(admin_list_actions, MAY_VIEW_REALM)
{
    size_t n;
    json_t *const *docs = realm_docs(a->realm, KIND_REQUIRED_ACTION, &n);
    json_t **sorted = arena_array(a->arena, json_t *, n), *list = json_array();

    (void)err;
    for (size_t i = 0; i < n; i++)
        sorted[i] = docs[i];
    if (n > 1)
        qsort(sorted, n, sizeof(json_t *), by_priority); /* NOLINT(bugprone-sizeof-expression) */
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, action_rep(sorted[i]));
    return admin_answer(a, list);
}

ADMIN(admin_list_unregistered_actions, MAY_VIEW_REALM)
{
    (void)err;
    return admin_answer(a, json_array());
}

ADMIN(admin_get_action, MAY_VIEW_REALM)
{
    json_t *doc = realm_doc(a->realm, KIND_REQUIRED_ACTION, admin_param(a, "alias"));

    return doc ? admin_answer(a, action_rep(doc)) : err_set(err, ERR_NOT_FOUND, "Failed to find required action");
}

ADMIN(admin_put_action, MAY_MANAGE_REALM)
{
    static const char *const settable[] = {"name", "enabled", "defaultAction", "priority", "config"};
    json_t *rep, *doc = realm_doc(a->realm, KIND_REQUIRED_ACTION, admin_param(a, "alias"));
    int rc;

    if (!doc)
        return err_set(err, ERR_NOT_FOUND, "Failed to find required action");
    rc = admin_body(a, REP_REQUIRED_ACTION, &rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc < 0)
        return rc;
    doc = json_copy(draft_get(a->draft, KIND_REQUIRED_ACTION, admin_param(a, "alias")));
    for (size_t i = 0; i < ARRAY_LEN(settable); i++)
        if (json_object_get(rep, settable[i]) && !json_is_null(json_object_get(rep, settable[i])))
            json_object_set(doc, settable[i], json_object_get(rep, settable[i]));
    draft_put(a->draft, KIND_REQUIRED_ACTION, doc);
    rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "REQUIRED_ACTION", rep, "authentication/required-actions/%.*s",
                    STR_ARG(admin_param(a, "alias")));
    return rc;
}

/* ---- identity providers: none, and none can be made ---- */

ADMIN(admin_list_idps, MAY_VIEW_IDPS)
{
    (void)err;
    return admin_answer(a, json_array());
}

ADMIN(admin_get_idp, MAY_VIEW_IDPS)
{
    (void)a;
    return err_set(err, ERR_NOT_FOUND, "HTTP 404 Not Found");
}

ADMIN(admin_change_idps, MAY_MANAGE_IDPS)
{
    (void)a;
    return err_set(err, ERR_UNSUPPORTED,
                   "identity brokering is not supported: identity providers can't be made or changed");
}

/* What only e-mail, LDAP or organisations would do. */
ADMIN(admin_unsupported, MAY_ANY)
{
    static const struct {
        const char *part, *what;
    } features[] = {
        {"/organizations", "organizations are not supported"},
        {"/authz", "authorization services (UMA) are not supported"},
        {"/management/permissions", "fine-grained admin permissions are not supported"},
        {"/users-management-permissions", "fine-grained admin permissions are not supported"},
        {"/workflows", "workflows are not supported"},
        {"/client-types", "client types are not supported"},
        {"/user-storage", "user federation (LDAP, Kerberos) is not supported"},
        {"/testSMTPConnection", "sending e-mail is not supported"},
        {"/testLDAPConnection", "user federation (LDAP, Kerberos) is not supported"},
        {"/clients-initial-access", "dynamic client registration is not supported"},
        {"/registration-access-token", "dynamic client registration is not supported"},
        {"/certificates", "client certificates and keys are not supported"},
        {"/nodes", "clustered client nodes are not supported"},
        {"/push-revocation", "pushing a revocation to clients is not supported: set the realm's notBefore"},
        {"/client-description-converter", "reading client descriptions is not supported"},
        {"/ui-ext", "the admin console is not part of this service"},
    };

    for (size_t i = 0; i < ARRAY_LEN(features); i++)
        if (strstr(a->call->route->pattern, features[i].part))
            return err_set_named(err, ERR_UNSUPPORTED, "error", "%s", features[i].what);
    return err_set(err, ERR_NOT_FOUND, "HTTP 404 Not Found");
}

ADMIN(admin_no_such_path, MAY_ANY)
{
    (void)a;
    return err_set(err, ERR_NOT_FOUND, "HTTP 404 Not Found");
}
