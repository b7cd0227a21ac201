/*
 * The commit: manifest list and metadata of a change, all its files written at once, and the pointer swapped; again from
 * the new base when somebody else was faster.
 *
 * Names, keys, log bounds and retry properties are iceberg-core 1.9.1's (SnapshotProducer, TableMetadata, TableProperties).
 */
#include "iceberg/ops/commit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include <time.h>

enum { CHANGE_MEMORY_MAX = 1 << 30, METADATA_MAX = 128 << 20, MANIFEST_LIST_MAX = 256 << 20, MANIFEST_MAX = 512 << 20 };

static int64_t property_i64(const struct iceberg_metadata *m, const char *name, int64_t fallback)
{
    struct str text = iceberg_property(m, name);
    int64_t v;

    return !str_is_null(text) && str_to_i64(text, &v, NULL) == 0 && v >= 0 ? v : fallback;
}

static bool property_is_true(const struct iceberg_metadata *m, const char *name)
{
    return str_eq_nocase(iceberg_property(m, name), STR("true"));
}

static struct str without_slash(struct str s)
{
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

struct str iceberg_metadata_folder(struct arena *a, struct str location, struct str write_metadata_path)
{
    return str_is_null(write_metadata_path) ? arena_printf(a, "%.*s/metadata", STR_ARG(without_slash(location)))
                                            : arena_str(a, without_slash(write_metadata_path));
}

/* Takes over a reference of the base. */
static void change_init(struct iceberg_change *c, const struct iceberg_commit *commit, struct iceberg_metadata *base,
                        const char *operation)
{
    *c = (struct iceberg_change){.commit = commit, .base = base, .operation = operation};
    arena_init(&c->arena, CHANGE_MEMORY_MAX);
    c->metadata_folder = iceberg_metadata_folder(&c->arena, base->location,
                                                 iceberg_property(base, "write.metadata.path"));
    c->sequence_number = base->last_sequence_number + 1;
    do {
        c->snapshot_id = (int64_t)(rand_u64() & INT64_MAX);
    } while (c->snapshot_id == 0 || iceberg_find_snapshot(base, c->snapshot_id));
    uuid_v4(c->uuid);
}

static void change_release(struct iceberg_change *c)
{
    vec_release(&c->manifests);
    vec_release(&c->locations);
    vec_release(&c->contents);
    map_release(&c->partitions);
    iceberg_manifest_list_unref(c->hold);
    iceberg_metadata_unref(c->base);
    json_decref(c->document);
    arena_release(&c->arena);
}

static int add_file(struct iceberg_change *c, struct str location, const struct buf *content, struct err *err)
{
    char *p = arena_try_alloc(&c->arena, content->n);

    if (!p)
        return err_set(err, ERR_LIMIT, "Iceberg: a commit's files take more than %d bytes", CHANGE_MEMORY_MAX);
    if (content->n)
        memcpy(p, content->p, content->n);
    vec_push(&c->locations, location);
    vec_push(&c->contents, str_from(p, content->n));
    return 0;
}

int iceberg_change_load_manifests(struct iceberg_change *c, struct err *err)
{
    const struct iceberg_snapshot *s = iceberg_current_snapshot(c->base);

    return s ? iceberg_load_manifest_list(c->commit->cache, s->manifest_list, &c->hold, err) : 0;
}

/* A partition's key: its spec and values, each as its length and bytes. */
static void note_partition(struct iceberg_change *c, const struct iceberg_data_file *f)
{
    BUF_SCOPED struct buf key;

    buf_init(&key, 1 << 20);
    buf_addf(&key, "%d", f->spec_id);
    for (size_t i = 0; i < f->partition_count; i++) {
        const struct iceberg_value *v = &f->partition[i];
        buf_addf(&key, "/%d,%lld,%a,", v->is_null, (long long)v->i, v->f);
        buf_append(&key, &v->unscaled, sizeof(v->unscaled));
        buf_addf(&key, ",%zu:", v->bytes.n);
        buf_add_str(&key, v->bytes);
    }
    map_set(&c->partitions, buf_str(&key), c);
}

void iceberg_change_count(struct iceberg_change *c, struct iceberg_totals *t, const struct iceberg_data_file *f)
{
    t->bytes += f->file_size;
    if (f->content == ICEBERG_DATA) {
        t->data_files++;
        t->records += f->record_count;
    } else {
        t->delete_files++;
        *(f->content == ICEBERG_POSITION_DELETES ? &t->position_delete_files : &t->equality_delete_files) += 1;
        *(f->content == ICEBERG_POSITION_DELETES ? &t->position_deletes : &t->equality_deletes) += f->record_count;
    }
    note_partition(c, f);
}

int iceberg_change_write_manifest(struct iceberg_change *c, const struct iceberg_spec *spec, int content,
                                  const struct iceberg_entry *const *entries, size_t n,
                                  const struct iceberg_manifest_file **ret, struct err *err)
{
    BUF_SCOPED struct buf file;
    struct iceberg_manifest_file *m = arena_new(&c->arena, struct iceberg_manifest_file);

    buf_init(&file, MANIFEST_MAX);
    int rc = iceberg_manifest_write(&c->arena, c->base, spec, content, entries, n, c->snapshot_id, c->sequence_number,
                                    &file, m, err);
    if (rc < 0)
        return rc;
    m->path = arena_printf(&c->arena, "%.*s/%s-m%d.avro", STR_ARG(c->metadata_folder), c->uuid, c->manifest_count++);
    *ret = m;
    return add_file(c, m->path, &file, err);
}

int iceberg_change_add_manifest(struct iceberg_change *c, const struct iceberg_spec *spec, int content,
                                const struct iceberg_entry *const *entries, size_t n, struct err *err)
{
    const struct iceberg_manifest_file *m;
    int rc = iceberg_change_write_manifest(c, spec, content, entries, n, &m, err);

    if (rc == 0)
        vec_push(&c->manifests, m);
    return rc;
}

/* ---- the snapshot's summary ---- */

static void set_number(json_t *summary, const char *key, int64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)v);
    json_object_set_new(summary, key, json_string(text));
}

static void set_if(json_t *summary, const char *key, int64_t v)
{
    if (v > 0)
        set_number(summary, key, v);
}

/* A total goes on from the one before; where that is missing, it stays missing. */
static void set_total(json_t *summary, const struct iceberg_snapshot *before, const char *key, int64_t added,
                      int64_t removed)
{
    int64_t total = 0;

    if (before && (str_to_i64(json_opt_str(before->summary, key, STR("")), &total, NULL) < 0 || total < 0 ||
                   total > INT64_MAX - added))
        return;
    total += added - removed;
    if (total >= 0)
        set_number(summary, key, total);
}

static json_t *summarize(const struct iceberg_change *c)
{
    const struct iceberg_snapshot *before = iceberg_current_snapshot(c->base);
    const struct iceberg_totals *a = &c->added, *r = &c->removed;
    json_t *s = json_object();

    json_object_set_new(s, "operation", json_string(c->operation));
    for (size_t i = 0; i < c->commit->summary_count; i++) {
        struct str name = c->commit->summary_names[i], value = c->commit->summary_values[i];
        json_object_setn_new(s, name.p, name.n, json_stringn(value.p, value.n));
    }
    set_if(s, "added-data-files", a->data_files);
    set_if(s, "deleted-data-files", r->data_files);
    set_if(s, "added-position-delete-files", a->position_delete_files);
    set_if(s, "added-delete-files", a->delete_files);
    set_if(s, "added-position-deletes", a->position_deletes);
    set_if(s, "removed-equality-delete-files", r->equality_delete_files);
    set_if(s, "removed-position-delete-files", r->position_delete_files);
    set_if(s, "removed-delete-files", r->delete_files);
    set_if(s, "added-records", a->records);
    set_if(s, "deleted-records", r->records);
    set_if(s, "added-files-size", a->bytes);
    set_if(s, "removed-files-size", r->bytes);
    set_if(s, "removed-position-deletes", r->position_deletes);
    set_if(s, "removed-equality-deletes", r->equality_deletes);
    set_number(s, "changed-partition-count", (int64_t)c->partitions.n);
    set_total(s, before, "total-records", a->records, r->records);
    set_total(s, before, "total-files-size", a->bytes, r->bytes);
    set_total(s, before, "total-data-files", a->data_files, r->data_files);
    set_total(s, before, "total-delete-files", a->delete_files, r->delete_files);
    set_total(s, before, "total-position-deletes", a->position_deletes, r->position_deletes);
    set_total(s, before, "total-equality-deletes", a->equality_deletes, r->equality_deletes);
    return s;
}

/* ---- the new metadata ---- */

static json_t *member(json_t *object, const char *key, json_t *(*make)(void))
{
    json_t *v = json_object_get(object, key);

    if (!v || json_is_null(v)) {
        v = make();
        json_object_set_new(object, key, v);
    }
    return v;
}

static json_t *json_str_new(struct str s)
{
    return json_stringn(s.p, s.n);
}

static void add_snapshot(const struct iceberg_change *c, json_t *j, struct str manifest_list, int64_t now_ms)
{
    json_t *s = json_object();
    json_t *log = json_object();
    json_t *main_ref = member(member(j, "refs", json_object), "main", json_object);

    json_object_set_new(s, "sequence-number", json_integer(c->sequence_number));
    json_object_set_new(s, "snapshot-id", json_integer(c->snapshot_id));
    if (c->base->current_snapshot_id != -1)
        json_object_set_new(s, "parent-snapshot-id", json_integer(c->base->current_snapshot_id));
    json_object_set_new(s, "timestamp-ms", json_integer(now_ms));
    json_object_set_new(s, "summary", summarize(c));
    json_object_set_new(s, "manifest-list", json_str_new(manifest_list));
    json_object_set_new(s, "schema-id", json_integer(c->base->current_schema_id));
    json_array_append_new(member(j, "snapshots", json_array), s);

    json_object_set_new(log, "timestamp-ms", json_integer(now_ms));
    json_object_set_new(log, "snapshot-id", json_integer(c->snapshot_id));
    json_array_append_new(member(j, "snapshot-log", json_array), log);

    json_object_set_new(main_ref, "snapshot-id", json_integer(c->snapshot_id));
    if (!json_object_get(main_ref, "type"))
        json_object_set_new(main_ref, "type", json_string("branch"));
    json_object_set_new(j, "current-snapshot-id", json_integer(c->snapshot_id));
    json_object_set_new(j, "last-sequence-number", json_integer(c->sequence_number));
    json_object_set_new(j, "last-updated-ms", json_integer(now_ms));
}

/* The base joins the log of earlier metadata files, which drops its oldest past its bound; *ret_dropped gets those. */
static void add_log_entry(struct iceberg_change *c, json_t *j, json_t *ret_dropped)
{
    int64_t max = property_i64(c->base, "write.metadata.previous-versions-max", 100);
    json_t *log = member(j, "metadata-log", json_array);
    json_t *entry = json_object();

    while (json_array_size(log) > 0 && (int64_t)json_array_size(log) >= (max < 1 ? 1 : max)) {
        json_t *file = json_object_get(json_array_get(log, 0), "metadata-file");
        if (file)
            json_array_append(ret_dropped, file);
        json_array_remove(log, 0);
    }
    json_object_set_new(entry, "timestamp-ms", json_integer(c->base->last_updated_ms));
    json_object_set_new(entry, "metadata-file", json_str_new(c->base_location));
    json_array_append_new(log, entry);
}

/* "…/00012-UUID.metadata.json" is version 12; -1 for other names. */
static int64_t version_of(struct str location)
{
    size_t slash = str_rfind_char(location, '/');
    struct str name = slash == SIZE_MAX ? location : str_skip(location, slash + 1);
    int64_t v;

    return str_to_i64(str_slice(name, 0, str_find_char(name, '-', 0)), &v, NULL) == 0 && v >= 0 && v < INT32_MAX ? v
                                                                                                                 : -1;
}

static struct str metadata_location(struct iceberg_change *c)
{
    char uuid[UUID_TEXT_SIZE];

    uuid_v4(uuid);
    int64_t version = str_is_null(c->base_location) ? 0 : version_of(c->base_location) + 1;
    return arena_printf(&c->arena, "%.*s/%05lld-%s.metadata.json", STR_ARG(c->metadata_folder), (long long)version,
                        uuid);
}

static int write_manifest_list(struct iceberg_change *c, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf file;

    buf_init(&file, MANIFEST_LIST_MAX);
    *ret = arena_printf(&c->arena, "%.*s/snap-%lld-1-%s.avro", STR_ARG(c->metadata_folder), (long long)c->snapshot_id,
                        c->uuid);
    int rc = iceberg_manifest_list_write(c->manifests.items, c->manifests.n, c->snapshot_id,
                                         c->base->current_snapshot_id, c->sequence_number, &file, err);
    return rc < 0 ? rc : add_file(c, *ret, &file, err);
}

/* The manifest list of the change's snapshot, and the base's document with that snapshot. */
static int make_document(struct iceberg_change *c, json_t **ret, struct err *err)
{
    struct str list;
    int64_t now = clock_wall_ms();
    int rc = write_manifest_list(c, &list, err);

    if (rc < 0)
        return rc;
    json_t *j = json_deep_copy(c->base->json);
    if (!j)
        return err_set(err, ERR_LIMIT, "no memory for table metadata");
    add_snapshot(c, j, list, now > c->base->last_updated_ms ? now : c->base->last_updated_ms);
    *ret = j;
    return 0;
}

/* The last files of the change; the metadata is the very last. */
static int finish_change(struct iceberg_change *c, struct iceberg_metadata **ret, json_t *dropped, struct err *err)
{
    BUF_SCOPED struct buf text;
    json_t *j = c->document;
    int rc = j ? 0 : make_document(c, &j, err);

    buf_init(&text, METADATA_MAX);
    if (rc < 0)
        return rc;
    c->document = NULL;
    if (!str_is_null(c->base_location))
        add_log_entry(c, j, dropped);
    char *dumped = json_dumps(j, JSON_COMPACT);
    if (!dumped) {
        json_decref(j);
        return err_set(err, ERR_INTERNAL, "table metadata could not be written as JSON");
    }
    buf_add_cstr(&text, dumped);
    free(dumped);
    if ((rc = iceberg_metadata_from_json(j, ret, err)) < 0)
        return rc;
    rc = buf_check(&text, "table metadata", err);
    if (rc == 0)
        rc = add_file(c, metadata_location(c), &text, err);
    if (rc < 0)
        iceberg_metadata_unref(*ret);
    return rc;
}

/* ---- swapping ---- */

static void remove_files(const struct iceberg_change *c)
{
    struct err err = {0};

    if (c->commit->io->remove(c->commit->io->ctx, c->locations.items, c->locations.n, &err) < 0)
        log_warn("files of a commit that failed are left in %.*s: %s", STR_ARG(c->metadata_folder), err.message);
}

static bool log_has(const struct iceberg_metadata *m, struct str location)
{
    const json_t *log = json_object_get(m->json, "metadata-log");

    for (size_t i = 0; i < json_array_size(log); i++)
        if (str_eq(json_opt_str(json_array_get(log, i), "metadata-file", STR_NULL), location))
            return true;
    return false;
}

/* After a swap that failed for another reason than a conflict: did it happen? 1 yes, 0 no, or unknown (an error). */
static int find_out(struct iceberg_change *c, struct str location, struct err *err)
{
    struct str current;
    struct iceberg_metadata *m;
    struct err why = {0};
    int rc = c->commit->pointer->load(c->commit->pointer->ctx, &c->arena, &current, &why);

    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0 && str_eq(current, location))
        return 1;
    if (rc == 0 && (rc = iceberg_load_metadata(c->commit->cache, current, &m, &why)) == 0) {
        bool happened = log_has(m, location);
        iceberg_metadata_unref(m);
        return happened;
    }
    char message[ERR_MESSAGE_SIZE];
    snprintf(message, sizeof(message), "%s", err ? err->message : why.message);
    return err_set(err, ERR_UNAVAILABLE,
                   "it is not known whether the commit of %.*s went through; its files are kept: %s", STR_ARG(location),
                   message);
}

static void forget_dropped(struct iceberg_change *c, const json_t *dropped)
{
    VEC(struct str) files = {0};
    struct err err = {0};

    if (!property_is_true(c->base, "write.metadata.delete-after-commit.enabled"))
        return;
    for (size_t i = 0; i < json_array_size(dropped); i++)
        vec_push_in(&c->arena, &files, json_str(json_array_get(dropped, i)));
    if (files.n && c->commit->io->remove(c->commit->io->ctx, files.items, files.n, &err) < 0)
        log_warn("old table metadata is left behind: %s", err.message);
}

/* One attempt; the files of a failed one are removed. */
static int write_and_swap(struct iceberg_change *c, struct err *err)
{
    const struct iceberg_commit *commit = c->commit;
    JSON_SCOPED json_t *dropped = json_array();
    struct iceberg_metadata *m;
    int rc = finish_change(c, &m, dropped, err);

    if (rc < 0)
        return rc;
    struct str location = c->locations.items[c->locations.n - 1];
    rc = commit->io->write(commit->io->ctx, c->locations.items, c->contents.items, c->locations.n, err);
    if (rc == 0) {
        rc = commit->pointer->swap(commit->pointer->ctx, c->base_location, location, err);
        if (rc < 0 && rc != ERR_CONFLICT && rc != ERR_EXISTS) {
            int known = find_out(c, location, err);
            rc = known == 1 ? 0 : known < 0 ? known : rc;
            if (known < 0) {
                iceberg_metadata_unref(m);
                return rc;
            }
        }
        if (rc < 0)
            remove_files(c);
    }
    if (rc == 0) {
        iceberg_cache_put_metadata(commit->cache, location, m);
        forget_dropped(c, dropped);
    }
    iceberg_metadata_unref(m);
    return rc;
}

static void pause_before_retry(const struct iceberg_metadata *m, int attempt)
{
    int64_t wait = property_i64(m, "commit.retry.min-wait-ms", 100);
    int64_t max = property_i64(m, "commit.retry.max-wait-ms", 60000);

    for (int i = 0; i < attempt && wait < max; i++)
        wait *= 2;
    wait = wait > max ? max : wait;
    wait += (int64_t)(rand_u64() % (uint64_t)(wait / 10 + 1)); /* so that rivals don't meet again */
    struct timespec t = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

int iceberg_commit_change(const struct iceberg_commit *commit, iceberg_apply *apply, void *ctx, const char *operation,
                          struct err *err)
{
    for (int attempt = 0;; attempt++) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        struct iceberg_metadata *base;
        struct iceberg_change c;
        struct str location;
        int rc = commit->pointer->load(commit->pointer->ctx, &a, &location, err);

        if (rc == 0)
            rc = iceberg_load_metadata(commit->cache, location, &base, err);
        if (rc < 0)
            return rc;
        if (base->format_version != 2) {
            iceberg_metadata_unref(base);
            return err_set(err, ERR_UNSUPPORTED, "writing to an Iceberg table of format version 1 is not supported");
        }
        change_init(&c, commit, base, operation);
        c.base_location = location;
        rc = apply(ctx, &c, err);
        bool applied = rc == 0;
        rc = applied ? write_and_swap(&c, err) : rc == 1 ? 0 : rc;
        bool again = applied && rc == ERR_CONFLICT && attempt < property_i64(base, "commit.retry.num-retries", 4);
        if (again)
            pause_before_retry(base, attempt);
        change_release(&c);
        if (!again)
            return rc;
    }
}

int iceberg_commit_new(const struct iceberg_commit *commit, struct iceberg_metadata *m, iceberg_apply *apply, void *ctx,
                       struct err *err)
{
    struct iceberg_change c;

    change_init(&c, commit, m, "append");
    int rc = apply(ctx, &c, err);
    if (rc == 0)
        rc = write_and_swap(&c, err);
    change_release(&c);
    return rc;
}
