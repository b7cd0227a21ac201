/*
 * The store alone, without a supervisor: what the suites client/s3 and fault/store start, kill and start again.
 *
 * usage: store PLATFORM.YAML     makes the secrets that are missing, then serves
 */
#include "s3/service.h"

static int ensure_secrets(struct arena *a, const struct spec *spec, struct secrets *secrets, struct err *err)
{
    const char **names = arena_array(a, const char *, spec->user_count + 1);

    for (size_t i = 0; i < spec->user_count; i++)
        names[i] = arena_printf(a, "store/users/%.*s/secret-key", STR_ARG(spec->users[i].name)).p;
    names[spec->user_count] = "store/sts-key";
    return secrets_ensure(secrets, names, spec->user_count + 1, err);
}

int main(int argc, char **argv)
{
    ARENA_SCOPED struct arena a;
    struct secrets *secrets;
    struct spec *spec;
    struct err err = {0};

    arena_init(&a, 0);
    if (argc != 2) {
        fputs("usage: store PLATFORM.YAML\n", stderr);
        return 2;
    }
    int rc = spec_load(&a, argv[1], &spec, &err);
    if (rc >= 0)
        rc = secrets_open(&(struct secrets_source){.data_dir = arena_cstr(&a, spec->data_dir)}, &secrets, &err);
    if (rc >= 0) {
        rc = ensure_secrets(&a, spec, secrets, &err);
        if (rc >= 0)
            rc = s3_service_run(spec, secrets, &err);
        secrets_close(secrets);
    }
    if (rc < 0)
        fprintf(stderr, "store: %s\n", err.message);
    return rc < 0;
}
