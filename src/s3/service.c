#include "s3/service.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/rand.h"
#include "os/file.h"
#include "os/signal.h"
#include "pki/pki.h"
#include "s3/internal.h"

enum {
    POOL_THREADS = 32, /* most wait for a sync that they share; the rest serve reads meanwhile */
    CLEAN_EVERY_MS = 60 * 1000,
    UPLOAD_AGE_S = 7 * 24 * 3600, /* uploads that nobody completed, as a lifecycle rule would have it */
    STOP_GRACE_MS = 10 * 1000,
};

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

static int serve(struct s3 *s, struct err *err)
{
    const struct spec *spec = s->spec;
    ARENA_SCOPED struct arena a;
    struct http_server *server;
    struct http_server_options options = {
        .port = spec->store.port, .pool_threads = POOL_THREADS, .server_name = "dataplatform"};
    int rc;

    arena_init(&a, 0);
    options.address = arena_cstr(&a, spec->bind);
    options.tls = pki_tls(&a, spec);
    options.proxies = &spec->proxies;
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

/* On the watch's thread: requests that come from now on are checked with the secrets of now. */
static int take_secrets(void *ctx, const struct secrets *now, struct err *err)
{
    struct s3 *s = ctx;
    struct s3_access *access;
    int rc = s3_access_new(s->spec, now, &access, err);

    if (rc == 0)
        s3_access_replace(s, access);
    return rc;
}

static int watch_and_serve(struct s3 *s, const struct secrets *secrets, struct err *err)
{
    struct secrets_watch *watch;
    int rc = secrets_watch_start(secrets, "store", take_secrets, s, &watch, err);

    if (rc < 0)
        return rc;
    rc = serve(s, err);
    secrets_watch_stop(watch);
    return rc;
}

int s3_service_run(const struct spec *spec, struct secrets *secrets, struct err *err)
{
    ARENA_SCOPED struct arena a;
    struct s3 s = {.spec = spec, .lock = PTHREAD_MUTEX_INITIALIZER};
    unsigned char id[32];
    BUF_SCOPED struct buf hex = {0};
    int rc;

    arena_init(&a, 0);
    buf_init(&hex, sizeof(s.host_id));
    rand_bytes(id, sizeof(id));
    enc_hex(&hex, id, sizeof(id));
    memcpy(s.host_id, hex.p, 64);
    signal_setup();
    struct str folder = path_join(&a, spec->data_dir, STR("objects"));
    rc = s3_access_new(spec, secrets, &s.access, err);
    if (rc >= 0)
        rc = sts_new(spec, &s.sts, err);
    if (rc >= 0)
        rc = file_make_folders(folder.p, 0700, err);
    if (rc >= 0)
        rc = objects_open(folder.p, &s.objects, err);
    if (rc >= 0) {
        rc = make_buckets(s.objects, spec, err);
        if (rc >= 0)
            rc = watch_and_serve(&s, secrets, err);
        objects_close(s.objects);
    }
    sts_free(s.sts);
    s3_access_unref(s.access);
    pthread_mutex_destroy(&s.lock);
    return rc;
}
