#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "spec/memory.h"
#include "spec/spec.h"
#include "base/buf.h"
#include "os/file.h"

static struct arena arena;

static struct spec *parse(const char *text)
{
    struct spec *s = NULL;
    struct err err = {0};

    if (spec_parse(&arena, str_from_cstr(text), STR("platform.yaml"), STR("/base"), &s, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static void assert_refused(const char *text, const char *message)
{
    struct spec *s = NULL;
    struct err err = {0};

    assert_int_equal(spec_parse(&arena, str_from_cstr(text), STR("platform.yaml"), STR("/base"), &s, &err),
                     ERR_INVALID);
    assert_null(s);
    assert_string_equal(err.message, message);
}

static void assert_str(struct str s, const char *want)
{
    assert_string_equal(arena_cstr(&arena, s), want);
}

static void an_empty_file_is_a_working_platform(void **state)
{
    static const char *const texts[] = {"", "# nothing\n", "---\n", "{}", "services:\n", "services: {sql: }\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct spec *s = parse(texts[i]);

        assert_str(s->data_dir, "/base/data");
        assert_str(s->bind, "127.0.0.1");
        assert_int_equal(s->store.port, 9000);
        assert_int_equal(s->sql.port, 8080);
        assert_int_equal(s->sql.threads, 0);
        assert_int_equal(s->sql.max_queries, 16);
        assert_true(s->sql.client_timeout_ms == 300000);
        assert_true(s->sql.memory >= memory_total() / 100 * 59 && s->sql.memory <= memory_total() / 100 * 61);
        assert_int_equal(s->bucket_count, 4);
        assert_int_equal(s->user_count, 2);
        assert_str(s->users[0].name, "trino");
        assert_str(s->users[0].buckets[1], "trino-exchange");
        assert_str(s->users[1].buckets[0], "airflow");
        assert_int_equal(s->identity_service.port, 8180);
        assert_true(spec_has_identity(s));
        assert_str(s->identity.realm, "dataplatform");
        assert_int_equal(s->identity.users.n, 1);
        assert_int_equal(s->identity.clients.n, 3);
        assert_str(s->identity.clients.items[0].redirect_uris.items[0], "http://localhost:8080/oauth2/callback");
        assert_false(s->catalog.is_set);
        assert_int_equal(s->catalog_count, 4);
        assert_str(s->catalogs[0].name, "iceberg");
        assert_str(spec_catalog_property(&s->catalogs[0], "warehouse", NULL), "s3://trino-data");
        assert_str(s->catalogs[3].name, "tpch");
    }
}

static void the_identity_section_says_who_there_is(void **state)
{
    struct spec *s = parse("services: {identity: {port: 8181}}\n"
                           "identity:\n"
                           "  realm: acme\n"
                           "  url: https://id.example.org/\n"
                           "  database: {postgresql: {host: db, database: id, user: id}}\n"
                           "  roles: [reader]\n"
                           "  groups: {analysts: {roles: [reader]}}\n"
                           "  users: {alice: {email: a@example.org, first-name: Alice, groups: [analysts],\n"
                           "          roles: [reader], temporary-password: true}}\n"
                           "  clients: {web: {redirect-uris: [\"https://app.example.org/*\"], public: true},\n"
                           "            job: {service-account: true, roles: [reader]}}\n");
    const struct spec_identity *id = &s->identity;

    (void)state;
    assert_int_equal(s->identity_service.port, 8181);
    assert_str(id->realm, "acme");
    assert_str(id->url, "https://id.example.org");
    assert_true(id->database.is_set && id->database.port == 5432 && !s->catalog.is_set);
    assert_str(id->groups.items[0].roles.items[0], "reader");
    assert_int_equal(id->users.n, 1);
    assert_str(id->users.items[0].name, "alice");
    assert_str(id->users.items[0].groups.items[0], "analysts");
    assert_true(id->users.items[0].temporary_password);
    assert_int_equal(id->clients.n, 2);
    assert_true(id->clients.items[0].is_public && !id->clients.items[1].is_public);
    assert_str(id->clients.items[1].roles.items[0], "reader");
}

static void another_issuer_takes_the_place_of_the_identity_service(void **state)
{
    const struct spec_node *nodes;
    struct spec *s = parse("identity: {issuer: \"https://id.example.org/realms/x\"}");

    (void)state;
    assert_false(spec_has_identity(s));
    assert_int_equal(spec_graph(s, &nodes), 2);
    assert_int_equal(spec_graph(parse(""), &nodes), 3);
    assert_string_equal(nodes[2].service, "identity");
}

static void what_the_identity_section_names_has_to_be_there(void **state)
{
    (void)state;
    assert_refused("identity: {users: {alice: {groups: [x]}}}",
                   "platform.yaml: identity.users.alice.groups: group x is not among identity.groups: add it there");
    assert_refused("identity: {users: {alice: {roles: [x]}}}",
                   "platform.yaml: identity.users.alice.roles: role x is not among identity.roles: add it there");
    assert_refused("identity: {clients: {web: {public: true, service-account: true}}}",
                   "platform.yaml: identity.clients.web: a public client has no secret, so it can't have a service "
                   "account");
    assert_refused("identity: {realm: master}",
                   "platform.yaml: identity.realm: expected a name of a-z, A-Z, 0-9, '_', '-', '.', other than master, "
                   "found \"master\"");
    assert_refused("identity: {issuer: id.example.org}",
                   "platform.yaml:1:20: identity.issuer: expected a URL such as https://id.example.org, without query, "
                   "found \"id.example.org\"");
    assert_refused("identity: {users: {\"a b\": {}}}",
                   "platform.yaml:1:20: identity.users: expected a name (a-z, A-Z, 0-9, '_', '-', '.', '@'), found "
                   "\"a b\"");
    assert_refused("services: {identity: {port: 8080}}",
                   "platform.yaml: services.sql.port and services.identity.port are both 8080: give each its own");
}

static void every_key_is_read(void **state)
{
    struct spec *s = parse("data: ./state/\n"
                           "bind: \"0.0.0.0\"\n"
                           "services:\n"
                           "  store: {port: 9100}\n"
                           "  sql: {port: 8100, memory: 512MiB, threads: 3, max-queries: 4, client-timeout: 1.5m}\n"
                           "objects:\n"
                           "  buckets: [raw, curated]\n"
                           "  users:\n"
                           "    loader: {access-key: LOADER, buckets: [raw]}\n"
                           "    reader:\n"
                           "secrets: {overlap: 90s}\n"
                           "catalog:\n"
                           "  postgresql: {host: db.example.org, database: cat, user: iceberg, password-file: pw}\n"
                           "catalogs:\n"
                           "  tpchstd: {connector: tpch, tpch.column-naming: STANDARD}\n"
                           "  lake: {connector: iceberg, warehouse: s3://curated/lake}\n");

    (void)state;
    assert_str(s->data_dir, "/base/state");
    assert_str(s->bind, "0.0.0.0");
    assert_int_equal(s->store.port, 9100);
    assert_int_equal(s->sql.port, 8100);
    assert_true(s->sql.memory == 512ull << 20);
    assert_int_equal(s->sql.threads, 3);
    assert_int_equal(s->sql.max_queries, 4);
    assert_true(s->sql.client_timeout_ms == 90000);
    assert_int_equal(s->bucket_count, 2);
    assert_int_equal(s->user_count, 2);
    assert_str(s->users[0].access_key, "LOADER");
    assert_str(s->users[0].buckets[0], "raw");
    assert_str(s->users[1].access_key, "reader");
    assert_int_equal(s->users[1].bucket_count, 0);
    assert_int_equal(s->secrets_overlap_ms, 90000);
    assert_true(s->catalog.is_set);
    assert_str(s->catalog.host, "db.example.org");
    assert_int_equal(s->catalog.port, 5432);
    assert_str(s->catalog.password_file, "/base/pw");
    assert_int_equal(s->catalog_count, 2);
    assert_str(s->catalogs[0].name, "lake");
    assert_str(spec_catalog_property(&s->catalogs[0], "warehouse", NULL), "s3://curated/lake");
    assert_str(spec_catalog_property(&s->catalogs[1], "tpch.column-naming", "SIMPLIFIED"), "STANDARD");
    assert_str(spec_catalog_property(&s->catalogs[1], "tpch.double-type-mapping", "DOUBLE"), "DOUBLE");
}

static void a_wrong_value_says_where_what_was_expected_and_found(void **state)
{
    (void)state;
    assert_refused("secrets: {overlap: 5}",
                   "platform.yaml:1:20: secrets.overlap: expected a duration such as 30s, 5m or "
                   "1h, from 0s to 7d, found \"5\"");
    assert_refused("secrets: {overlap: 8d}", "platform.yaml:1:20: secrets.overlap: expected a duration such as 30s, 5m "
                                             "or 1h, from 0s to 7d, found \"8d\"");
    assert_refused("services:\n  sql:\n    port: abc\n",
                   "platform.yaml:3:11: services.sql.port: expected a number from 1 to 65535, found \"abc\"");
    assert_refused("services: {sql: {port: 70000}}",
                   "platform.yaml:1:24: services.sql.port: expected a number from 1 to 65535, found \"70000\"");
    assert_refused("services: {sql: {port: [1]}}",
                   "platform.yaml:1:24: services.sql.port: expected a number from 1 to 65535, found a list");
    assert_refused("bind: localhost",
                   "platform.yaml:1:7: bind: expected an IP address such as 127.0.0.1 or 0.0.0.0, found \"localhost\"");
    assert_refused("services: 3", "platform.yaml:1:11: services: expected a mapping (key: value), found \"3\"");
    assert_refused("- a", "platform.yaml:1:1: the file: expected a mapping (key: value), found a list");
    assert_refused("services: {sql: {memory: much}}",
                   "platform.yaml:1:26: services.sql.memory: expected an amount of memory such as 2GiB, 512MiB or 60%, "
                   "found \"much\"");
    assert_refused("services: {sql: {memory: 1MiB}}",
                   "platform.yaml:1:26: services.sql.memory: expected at least 128 MiB, found 1MiB, which is 1 MiB");
    assert_refused("services: {sql: {client-timeout: 5ms}}",
                   "platform.yaml:1:34: services.sql.client-timeout: expected a duration such as 30s, 5m or 1h, "
                   "from 1s to 1d, found \"5ms\"");
    assert_refused(
        "objects: {buckets: [A]}",
        "platform.yaml:1:21: objects.buckets: expected a bucket name (3 to 63 of a-z, 0-9, '-'), found \"A\"");
    assert_refused(
        "catalog: mysql",
        "platform.yaml:1:10: catalog: expected sqlite, or a mapping with the key postgresql, found \"mysql\"");
    assert_refused("catalog: {postgresql: {host: h, user: u}}",
                   "platform.yaml:1:10: catalog.postgresql: expected the key database, which is missing");
    assert_refused("catalogs: {x: {connector: oracle}}",
                   "platform.yaml:1:27: catalogs.x.connector: expected one of iceberg, memory, tpcds, tpch, "
                   "found \"oracle\"");
    assert_refused(
        "catalogs: {x: {connector: tpch, tpch.column-naming: LONG}}",
        "platform.yaml:1:53: catalogs.x.tpch.column-naming: expected SIMPLIFIED or STANDARD, found \"LONG\"");
}

static void an_unknown_key_says_what_was_meant(void **state)
{
    (void)state;
    assert_refused("servces:\n",
                   "platform.yaml:1:1: unknown key servces; did you mean services? Known: data, bind, tls, "
                   "trusted-proxies, proxy-headers, services, objects, secrets, identity, catalog, catalogs");
    assert_refused("services:\n  sql: {prot: 1}\n",
                   "platform.yaml:2:9: unknown key services.sql.prot; did you mean "
                   "port? Known: port, memory, threads, max-queries, client-timeout, "
                   "access-control, authentication, password, jwt, oauth2, certificate");
    assert_refused("services: {kafka: {}}",
                   "platform.yaml:1:12: unknown key services.kafka; known: store, identity, sql");
    assert_refused("catalogs: {m: {connector: memory, warehouse: x}}",
                   "platform.yaml:1:35: unknown property catalogs.m.warehouse; known: connector");
}

static void keys_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    assert_refused("services: {sql: {port: 9000}}",
                   "platform.yaml: services.store.port and services.sql.port are both 9000: give each its own");
    assert_refused("objects: {users: {u: {buckets: [nowhere]}}}",
                   "platform.yaml: objects.users.u.buckets: bucket nowhere is not among objects.buckets: add it there");
    assert_refused("objects: {users: {aaa: {access-key: key}, bbb: {access-key: key}}}",
                   "platform.yaml:1:43: objects.users.bbb: has the access key of user aaa");
    assert_refused("objects: {buckets: [raw], users: {}}",
                   "platform.yaml: catalogs.iceberg.warehouse: bucket trino-data is not among objects.buckets: "
                   "add it there");
    assert_refused("catalogs: {system: {connector: memory}}",
                   "platform.yaml:1:12: catalogs: the catalog system is always there: choose another name");
}

static void tls_is_off_on_or_with_given_files(void **state)
{
    struct spec *s = parse("");
    (void)state;

    assert_false(s->tls.on);
    assert_false(parse("tls: off")->tls.on);
    s = parse("tls: on");
    assert_true(s->tls.on);
    assert_true(str_is_null(s->tls.certificate));
    s = parse("tls: {hosts: [Platform.Example.org, 10.1.2.3, \"::1\"]}");
    assert_true(s->tls.on);
    assert_true(str_is_null(s->tls.certificate));
    assert_int_equal(s->tls.host_count, 3);
    assert_str(s->tls.hosts[0], "platform.example.org");
    assert_str(s->tls.hosts[2], "::1");
    s = parse("tls: {certificate: c.pem, key: /keys/k.pem, ca: ca.pem}");
    assert_true(s->tls.on);
    assert_str(s->tls.certificate, "/base/c.pem");
    assert_str(s->tls.key, "/keys/k.pem");
    assert_str(s->tls.ca, "/base/ca.pem");

    assert_refused("tls: maybe", "platform.yaml:1:6: tls: expected on, off, or a mapping with certificate and key, "
                                 "found \"maybe\"");
    assert_refused("tls: {certificate: c.pem}",
                   "platform.yaml:1:6: tls: certificate and key go together: key is missing");
    assert_refused("tls: {ca: c.pem}", "platform.yaml:1:6: tls.ca: is for a certificate and key that are named too");
    assert_refused("tls: {hosts: [\"a:80\"]}",
                   "platform.yaml:1:15: tls.hosts: expected a host name or an address, without port, found \"a:80\"");
}

static void trusted_proxies_are_networks(void **state)
{
    struct spec *s = parse("");
    (void)state;

    assert_int_equal(s->proxies.n, 0);
    assert_false(s->proxies.write_forwarded);
    s = parse("{trusted-proxies: [10.0.0.0/8, \"fd00::/8\"], proxy-headers: forwarded}");
    assert_int_equal(s->proxies.n, 2);
    assert_true(http_network_has(s->proxies.networks, s->proxies.n, STR("10.9.8.7")));
    assert_true(s->proxies.write_forwarded);
    assert_refused("trusted-proxies: [10.0.0.0/40]", "platform.yaml:1:19: trusted-proxies: expected an address or a "
                                                     "network such as 10.0.0.0/8, found \"10.0.0.0/40\"");
    assert_refused("proxy-headers: all",
                   "platform.yaml:1:16: proxy-headers: expected xforwarded or forwarded, found \"all\"");
}

static void authentication_needs_tls_and_what_belongs_together(void **state)
{
    struct spec *s = parse("{tls: on, services: {sql: {authentication: [password, jwt], jwt: {audience: sql}}}}");
    (void)state;

    assert_int_equal(s->authentication.types.n, 2);
    assert_true(str_eq(s->authentication.jwt.audience, STR("sql")));
    s = parse("{trusted-proxies: [10.0.0.0/8], services: {sql: {authentication: [oauth2]}}}");
    assert_int_equal(s->authentication.types.n, 1);
    assert_refused("services: {sql: {authentication: [password]}}",
                   "platform.yaml: services.sql.authentication: needs tls: on, or trusted-proxies that speak TLS with "
                   "clients: passwords and tokens are not taken over plain HTTP");
    assert_refused("{tls: on, services: {sql: {authentication: [kerberos]}}}",
                   "platform.yaml: services.sql.authentication: expected password, jwt, oauth2 and certificate, found "
                   "\"kerberos\"");
    assert_refused("{tls: on, services: {sql: {authentication: [jwt, jwt]}}}",
                   "platform.yaml: services.sql.authentication: jwt stands there twice");
    assert_refused("services: {sql: {password: {user-mapping: (.*), user-mapping-file: m.json}}}",
                   "platform.yaml: services.sql.password: user-mapping and user-mapping-file can't both be set");
}

static void yaml_that_is_broken_or_too_clever_is_refused(void **state)
{
    (void)state;
    assert_refused("services: {sql",
                   "platform.yaml:2:1: not YAML: did not find expected ',' or '}' while parsing a flow "
                   "mapping");
    assert_refused("a: &x 1\nb: *x\n", "platform.yaml:1:4: anchors (&x) aren't supported: write the value out");
    assert_refused("data: *x\n", "platform.yaml:1:7: aliases (*x) aren't supported: write the value out");
    assert_refused("data: !!str x\n", "platform.yaml:1:7: tags (tag:yaml.org,2002:str) aren't supported: leave it out");
    assert_refused("data: a\nbind: 127.0.0.1\ndata: b\n", "platform.yaml:3:1: data stands here twice: first on line 1");
    assert_refused("data: a\n---\ndata: b\n", "platform.yaml:2:1: a second document starts here: expected one");
    assert_refused("? [a]\n: b\n", "platform.yaml:1:3: expected a name as key, found a list");
}

static void depth_and_size_are_bounded(void **state)
{
    struct buf deep, large;
    struct spec *s = NULL;
    struct err err = {0};

    (void)state;
    buf_init(&deep, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_add_char(&deep, '[');
    assert_int_equal(spec_parse(&arena, buf_str(&deep), STR("f"), STR("/"), &s, &err), ERR_INVALID);
    assert_string_equal(err.message, "f:1:33: nested deeper than 32");
    buf_init(&large, 4 << 20);
    while (large.n < 2 << 20)
        buf_add_cstr(&large, "# much to say\n");
    assert_int_equal(spec_parse(&arena, buf_str(&large), STR("f"), STR("/"), &s, &err), ERR_LIMIT);
    buf_release(&deep);
    buf_release(&large);
}

static void amounts_of_memory_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } cases[] = {
        {"1000", 1000},      {"1KiB", 1024}, {"2GiB", 2ull << 30}, {"2 GB", 2000000000},
        {"1.5mib", 3 << 19}, {"50%", 500},   {"100%", 1000},       {"0%", 0},
        {"101%", 0},         {"-1", 0},      {"GiB", 0},           {"1 PiB", 0},
        {"1e3", 0},          {"", 0},        {"1..5MiB", 0},       {"99999999999TiB", 0},
        {"0x10", 0},         {".5GiB", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t got = 0;
        int rc = memory_parse(str_from_cstr(cases[i].text), 1000, &got);
        if ((rc == 0) != (cases[i].bytes != 0) || got != cases[i].bytes)
            fail_msg("%s: %d, %llu bytes", cases[i].text, rc, (unsigned long long)got);
    }
}

static void the_digest_changes_with_the_meaning_only(void **state)
{
    char a[SPEC_DIGEST_SIZE], b[SPEC_DIGEST_SIZE], c[SPEC_DIGEST_SIZE];

    (void)state;
    spec_digest(parse(""), a);
    spec_digest(parse("# a comment\nservices: {sql: {port: 8080}}\n"), b);
    spec_digest(parse("services: {sql: {port: 8081}}\n"), c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

static void a_service_comes_after_what_it_needs(void **state)
{
    const struct spec_node *nodes;
    size_t n = spec_graph(parse(""), &nodes);

    (void)state;
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        for (const char *const *need = nodes[i].needs; *need; need++) {
            bool seen = false;
            for (size_t j = 0; j < i; j++)
                seen = seen || strcmp(nodes[j].service, *need) == 0;
            assert_true(seen);
        }
    }
}

/* The page names each key in backquotes; DOCS is the folder of the documentation. */
static void each_key_is_documented(void **state)
{
    struct buf page;
    struct err err = {0};
    struct str *keys;
    size_t n = spec_keys(&arena, &keys);

    (void)state;
    buf_init(&page, 1 << 20);
    if (file_read(DOCS "/platform-yaml.md", &page, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        struct str quoted = arena_printf(&arena, "`%.*s`", STR_ARG(keys[i]));
        if (str_find(buf_str(&page), quoted, 0) == SIZE_MAX)
            fail_msg("docs/platform-yaml.md doesn't say what %s is", quoted.p);
    }
    buf_release(&page);
}

static int free_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_a_working_platform),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(the_identity_section_says_who_there_is),
        cmocka_unit_test(another_issuer_takes_the_place_of_the_identity_service),
        cmocka_unit_test(what_the_identity_section_names_has_to_be_there),
        cmocka_unit_test(a_wrong_value_says_where_what_was_expected_and_found),
        cmocka_unit_test(an_unknown_key_says_what_was_meant),
        cmocka_unit_test(keys_that_contradict_each_other_are_refused),
        cmocka_unit_test(tls_is_off_on_or_with_given_files),
        cmocka_unit_test(trusted_proxies_are_networks),
        cmocka_unit_test(yaml_that_is_broken_or_too_clever_is_refused),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(amounts_of_memory_are_read),
        cmocka_unit_test(authentication_needs_tls_and_what_belongs_together),
        cmocka_unit_test(the_digest_changes_with_the_meaning_only),
        cmocka_unit_test(a_service_comes_after_what_it_needs),
        cmocka_unit_test(each_key_is_documented),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
