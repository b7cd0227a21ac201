/*
 * GET /admin/serverinfo: what clients ask to know which Keycloak they speak to. We answer as compatible with 26.7.3, whose
 * API this is; the lists hold what is supported here.
 */
#include "base/clock.h"
#include "identity/admin/internal.h"

static const char *const mapper_types[] = {
    "oidc-acr-mapper",
    "oidc-address-mapper",
    "oidc-allowed-origins-mapper",
    "oidc-audience-mapper",
    "oidc-audience-resolve-mapper",
    "oidc-full-name-mapper",
    "oidc-group-membership-mapper",
    "oidc-hardcoded-claim-mapper",
    "oidc-hardcoded-role-mapper",
    "oidc-role-name-mapper",
    "oidc-sub-mapper",
    "oidc-usermodel-attribute-mapper",
    "oidc-usermodel-client-role-mapper",
    "oidc-usermodel-property-mapper",
    "oidc-usermodel-realm-role-mapper",
    "oidc-usersessionmodel-note-mapper",
};
static const char *const key_providers[] = {"aes-generated",   "ecdh-generated",    "ecdsa-generated",
                                            "eddsa-generated", "hmac-generated",    "rsa",
                                            "rsa-enc",         "rsa-enc-generated", "rsa-generated"};
static const char *const policies[] = {
    "length",      "maxLength", "digits",          "lowerCase",    "upperCase",          "specialChars",
    "notUsername", "notEmail",  "passwordHistory", "regexPattern", "notContainsUsername"};
static const char *const theme_kinds[] = {"common", "admin", "login", "welcome", "account", "email"};

static json_t *ids(const char *const *names, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:[]}", "id", names[i], "name", names[i], "properties"));
    return list;
}

static json_t *system_info(void)
{
    static int64_t started; /* the first who asks may be late by a little */
    int64_t now = clock_wall_ms(), zero = 0;
    char text[CLOCK_TEXT_SIZE];

    __atomic_compare_exchange_n(&started, &zero, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    clock_format_rfc3339_ms(now, text);
    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "version", KEYCLOAK_VERSION, "serverTime", text,
                     "uptimeMillis", (json_int_t)(now - started), "osName", "Linux", "fileEncoding", "UTF-8",
                     "userTimezone", "Etc/UTC", "userLocale", "en");
}

static json_t *themes(void)
{
    json_t *all = json_object();

    for (size_t i = 0; i < ARRAY_LEN(theme_kinds); i++)
        json_object_set_new(all, theme_kinds[i],
                            json_pack("[{s:s, s:[s, s]}]", "name", "keycloak", "locales", "en", "fr"));
    return all;
}

static json_t *password_policies(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:b}", "id", policies[i], "displayName", policies[i], "multipleSupported", 0));
    return list;
}

ADMIN(admin_get_serverinfo, MAY_ANY)
{
    json_t *info = json_object();
    bool from_master = str_eq(a->auth_realm->name, STR("master"));

    (void)err;
    /* As Keycloak since 26.4: the version is for administrators of the master realm. */
    json_object_set_new(info, "systemInfo", from_master ? system_info() : json_object());
    json_object_set_new(info, "profileInfo",
                        json_pack("{s:s, s:[], s:[], s:[]}", "name", "default", "disabledFeatures", "previewFeatures",
                                  "experimentalFeatures"));
    json_object_set_new(info, "features", json_array());
    json_object_set_new(info, "themes", themes());
    json_object_set_new(info, "socialProviders", json_array());
    json_object_set_new(info, "identityProviders", json_array());
    json_object_set_new(
        info, "providers",
        json_pack("{s:{s:b, s:{s:{}}}}", "login-protocol", "internal", 0, "providers", "openid-connect"));
    json_object_set_new(info, "protocolMapperTypes",
                        json_pack("{s:o}", "openid-connect", ids(mapper_types, ARRAY_LEN(mapper_types))));
    json_object_set_new(info, "builtinProtocolMappers", json_pack("{s:[]}", "openid-connect"));
    json_object_set_new(info, "clientInstallations", json_pack("{s:[]}", "openid-connect"));
    json_object_set_new(
        info, "componentTypes",
        json_pack("{s:o}", "org.keycloak.keys.KeyProvider", ids(key_providers, ARRAY_LEN(key_providers))));
    json_object_set_new(info, "passwordPolicies", password_policies());
    json_object_set_new(info, "enums", json_object());
    return admin_answer(a, info);
}
