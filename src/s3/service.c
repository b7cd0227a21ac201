#include "s3/service.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/rand.h"
#include "os/file.h"
#include "os/signal.h"
#include "s3/internal.h"

enum {
    POOL_THREADS = 32, /* most wait for a sync that they share; the rest serve reads meanwhile */
    CLEAN_EVERY_MS = 60 * 1000,
    UPLOAD_AGE_S = 7 * 24 * 3600, /* uploads that nobody completed, as a lifecycle rule would have it */
    STOP_GRACE_MS = 10 * 1000,
};

static int add_users(struct s3 *s, const struct spec *spec, const struct secrets *secrets, struct err *err)
{
    for (size_t i = 0; i < spec->user_count; i++) {
        const struct spec_user *u = &spec->users[i];
        ARENA_SCOPED struct arena a;
        arena_init(&a, 0);
        struct str name = arena_printf(&a, "store/users/%.*s/secret-key", STR_ARG(u->name));
        struct grants_user user = {
            .name = u->name,
            .access_key = u->access_key,
            .secret_key = secrets_get(secrets, name.p),
            .buckets = u->buckets,
            .bucket_count = u->bucket_count,
        };
        if (str_is_empty(user.secret_key))
            return err_set(err, ERR_NOT_FOUND, "there is no secret %s: `dataplatform up` makes it", name.p);
        if (grants_add(&s->grants, &user, err) < 0)
            return err_prefix(err, "the users of the store");
    }
    return 0;
}

static int make_buckets(struct objects *o, const struct spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->bucket_count; i++) {
        ARENA_SCOPED struct arena a;
        struct objects_bucket bucket;
        arena_init(&a, 0);
        if (objects_get_bucket(o, &a, spec->buckets[i], &bucket, NULL) == 0)
            continue;
        int rc = objects_create_bucket(o, spec->buckets[i], err);
        if (rc < 0 && rc != ERR_EXISTS)
            return err_prefix(err, "bucket %.*s", STR_ARG(spec->buckets[i]));
    }
    return 0;
}

static void clean(struct objects *o)
{
    struct err err = {0};

    if (objects_clean(o, UPLOAD_AGE_S, &err) < 0)
        log_warn("cleaning up: %s", err.message);
}

static int serve(struct s3 *s, const struct spec *spec, struct err *err)
{
    ARENA_SCOPED struct arena a;
    struct http_server *server;
    struct http_server_options options = {
        .port = spec->store.port, .pool_threads = POOL_THREADS, .server_name = "dataplatform"};
    int rc;

    arena_init(&a, 0);
    options.address = arena_cstr(&a, spec->bind);
    if ((rc = http_server_start(&options, &s3_handler, s, &server, err)) < 0)
        return rc;
    log_info("listening on %s:%d", options.address, http_server_port(server));
    do
        clean(s->objects);
    while (!signal_wait_stop(CLEAN_EVERY_MS));
    log_info("stopping");
    http_server_stop(server, STOP_GRACE_MS);
    return 0;
}

int s3_service_run(const struct spec *spec, struct secrets *secrets, struct err *err)
{
    ARENA_SCOPED struct arena a;
    struct s3 s = {0};
    unsigned char id[32];
    BUF_SCOPED struct buf hex = {0};
    int rc;

    arena_init(&a, 0);
    buf_init(&hex, sizeof(s.host_id));
    rand_bytes(id, sizeof(id));
    enc_hex(&hex, id, sizeof(id));
    memcpy(s.host_id, hex.p, 64);
    signal_setup();
    grants_init(&s.grants);
    struct str folder = path_join(&a, spec->data_dir, STR("objects"));
    rc = add_users(&s, spec, secrets, err);
    if (rc >= 0)
        rc = file_make_folders(folder.p, 0700, err);
    if (rc >= 0)
        rc = objects_open(folder.p, &s.objects, err);
    if (rc >= 0) {
        rc = make_buckets(s.objects, spec, err);
        if (rc >= 0)
            rc = serve(&s, spec, err);
        objects_close(s.objects);
    }
    grants_release(&s.grants);
    return rc;
}
