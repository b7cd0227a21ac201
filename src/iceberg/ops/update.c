/*
 * Metadata updates as the REST catalog's clients send them: a list of requirements, which hold for the table as it is,
 * and a list of updates, which are made on a copy of its document, one after the other. The whole is then parsed as
 * any metadata is: what doesn't make a table is refused before anything is written.
 *
 * Rules are those of iceberg-core 1.9.1's TableMetadata.Builder and UpdateRequirement; so are the messages.
 */
#include "iceberg/ops/commit.h"

#include "base/clock.h"
#include "iceberg/schema.h"

enum { LAST_ADDED = -1, UPDATES_MAX = 10000, UNSORTED = 0 };

struct update {
    json_t *doc; /* the new metadata */
    struct arena *arena;
    int64_t now_ms;
    int last_schema, last_spec, last_order; /* ids that "-1" means; LAST_ADDED: none was added */
    json_t *added_snapshots;                /* their ids; borrowed by nobody else */
};

static int invalid(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int invalid(struct err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int rc = err_setv(err, ERR_INVALID, fmt, ap);
    va_end(ap);
    return rc;
}

static json_t *str_new(struct str s)
{
    return json_stringn(s.p, s.n);
}

/* The list under a key, made when missing. */
static json_t *list_of(json_t *doc, const char *key)
{
    json_t *list = json_object_get(doc, key);

    if (json_is_array(list))
        return list;
    list = json_array();
    json_object_set_new(doc, key, list);
    return list;
}

static json_t *object_of(json_t *doc, const char *key)
{
    json_t *object = json_object_get(doc, key);

    if (json_is_object(object))
        return object;
    object = json_object();
    json_object_set_new(doc, key, object);
    return object;
}

/* The element whose `key` is the id; NULL: none. */
static json_t *find_by_id(const json_t *list, const char *key, int64_t id)
{
    size_t i;
    json_t *each;

    json_array_foreach((json_t *)list, i, each) if (json_is_integer(json_object_get(each, key)) &&
                                                    json_integer_value(json_object_get(each, key)) == id) return each;
    return NULL;
}

static void remove_by_id(json_t *list, const char *key, int64_t id)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *value = json_object_get(json_array_get(list, i), key);
        if (json_is_integer(value) && json_integer_value(value) == id)
            json_array_remove(list, i);
    }
}

static int need_i64(const json_t *update, const char *key, int64_t *ret, struct err *err)
{
    return json_get_i64(update, key, ret, err);
}

/* ---- schemas, specs, sort orders: one that is there already is taken again ---- */

/* Whether two documents say the same apart from their id. */
static bool same_but(const json_t *x, const json_t *y, const char *id)
{
    JSON_SCOPED json_t *a = json_copy((json_t *)x);
    JSON_SCOPED json_t *b = json_copy((json_t *)y);

    json_object_del(a, id);
    json_object_del(b, id);
    return json_equal(a, b);
}

/* Adds to the list, or finds its equal; *ret: the id that it has there. */
static void add_or_reuse(json_t *list, const json_t *given, const char *id_key, int64_t first, int *ret)
{
    int64_t next = first;
    size_t i;
    json_t *each;

    json_array_foreach(list, i, each)
    {
        int64_t id = json_opt_i64(each, id_key, 0);
        if (same_but(each, given, id_key)) {
            *ret = (int)id;
            return;
        }
        next = id >= next && id < INT32_MAX ? id + 1 : next;
    }
    json_t *copy = json_deep_copy(given);
    json_object_set_new(copy, id_key, json_integer(next));
    json_array_append_new(list, copy);
    *ret = (int)next;
}

static void raise_to(json_t *doc, const char *key, int64_t value)
{
    if (json_opt_i64(doc, key, 0) < value)
        json_object_set_new(doc, key, json_integer(value));
}

static int add_schema(struct update *u, const json_t *update, struct err *err)
{
    struct iceberg_schema schema;
    json_t *given;
    int rc = json_get_object(update, "schema", &given, err);

    if (rc == 0)
        rc = iceberg_schema_parse(u->arena, given, &schema, err);
    if (rc < 0)
        return rc;
    int highest = iceberg_highest_id(schema.fields, schema.field_count);
    int64_t said = json_opt_i64(update, "last-column-id", highest);
    int64_t before = json_opt_i64(u->doc, "last-column-id", 0);
    if (said < before)
        return invalid(err, "Invalid last column ID: %lld < %lld (previous last column ID)", (long long)said,
                       (long long)before);
    raise_to(u->doc, "last-column-id", highest > said ? highest : said);
    add_or_reuse(list_of(u->doc, "schemas"), given, "schema-id", 0, &u->last_schema);
    return 0;
}

static int add_spec(struct update *u, const json_t *update, struct err *err)
{
    struct iceberg_spec spec;
    json_t *given;
    int rc = json_get_object(update, "spec", &given, err);

    if (rc == 0)
        rc = iceberg_spec_parse_fields(u->arena, json_object_get(given, "fields"), &spec, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < spec.field_count; i++)
        raise_to(u->doc, "last-partition-id", spec.fields[i].field_id);
    add_or_reuse(list_of(u->doc, "partition-specs"), given, "spec-id", 0, &u->last_spec);
    return 0;
}

/* Order 0 is the unsorted one, whatever its number was. */
static int add_order(struct update *u, const json_t *update, struct err *err)
{
    json_t *given, *fields;
    int rc = json_get_object(update, "sort-order", &given, err);

    if (rc == 0)
        rc = json_get_array(given, "fields", &fields, err);
    if (rc < 0)
        return rc;
    add_or_reuse(list_of(u->doc, "sort-orders"), given, "order-id", json_array_size(fields) ? 1 : UNSORTED,
                 &u->last_order);
    return 0;
}

/* Sets `to` to the id that an update names, "-1" being the one added last. */
static int set_current(struct update *u, const json_t *update, const char *key, int last, const char *list,
                       const char *id_key, const char *to, const char *what, struct err *err)
{
    int64_t id;
    int rc = need_i64(update, key, &id, err);

    if (rc < 0)
        return rc;
    if (id == LAST_ADDED && last == LAST_ADDED)
        return invalid(err, "Cannot set last added %s: no %s has been added", what, what);
    id = id == LAST_ADDED ? last : id;
    if (!find_by_id(json_object_get(u->doc, list), id_key, id))
        return invalid(err, "Cannot set current %s to unknown %s: %lld", what, what, (long long)id);
    json_object_set_new(u->doc, to, json_integer(id));
    return 0;
}

static int set_schema(struct update *u, const json_t *update, struct err *err)
{
    return set_current(u, update, "schema-id", u->last_schema, "schemas", "schema-id", "current-schema-id", "schema",
                       err);
}

static int set_spec(struct update *u, const json_t *update, struct err *err)
{
    return set_current(u, update, "spec-id", u->last_spec, "partition-specs", "spec-id", "default-spec-id",
                       "partition spec", err);
}

static int set_order(struct update *u, const json_t *update, struct err *err)
{
    return set_current(u, update, "sort-order-id", u->last_order, "sort-orders", "order-id", "default-sort-order-id",
                       "sort order", err);
}

/* Removes the listed ids, none of which may be the current one. */
static int remove_listed(struct update *u, const json_t *update, const char *key, const char *list, const char *id_key,
                         const char *current, const char *what, struct err *err)
{
    json_t *ids;
    size_t i;
    json_t *each;
    int rc = json_get_array(update, key, &ids, err);

    if (rc < 0)
        return rc;
    json_array_foreach(ids, i, each)
    {
        if (json_is_integer(each) && json_integer_value(each) == json_opt_i64(u->doc, current, -1))
            return invalid(err, "Cannot remove the %s", what);
        if (json_is_integer(each))
            remove_by_id(list_of(u->doc, list), id_key, json_integer_value(each));
    }
    return 0;
}

static int remove_schemas(struct update *u, const json_t *update, struct err *err)
{
    return remove_listed(u, update, "schema-ids", "schemas", "schema-id", "current-schema-id", "current schema", err);
}

static int remove_specs(struct update *u, const json_t *update, struct err *err)
{
    return remove_listed(u, update, "spec-ids", "partition-specs", "spec-id", "default-spec-id",
                         "default partition spec", err);
}

/* ---- snapshots and their refs ---- */

static int add_snapshot(struct update *u, const json_t *update, struct err *err)
{
    json_t *given;
    int64_t id, sequence, time;
    struct str list;
    int rc = json_get_object(update, "snapshot", &given, err);

    if (rc == 0)
        rc = json_get_i64(given, "snapshot-id", &id, err);
    if (rc == 0)
        rc = json_get_i64(given, "sequence-number", &sequence, err);
    if (rc == 0)
        rc = json_get_i64(given, "timestamp-ms", &time, err);
    if (rc == 0)
        rc = json_get_str(given, "manifest-list", &list, err);
    if (rc < 0)
        return rc;
    int64_t last = json_opt_i64(u->doc, "last-sequence-number", 0);
    if (find_by_id(json_object_get(u->doc, "snapshots"), "snapshot-id", id))
        return invalid(err, "Snapshot already exists for id: %lld", (long long)id);
    if (sequence <= last && json_object_get(given, "parent-snapshot-id"))
        return invalid(err, "Cannot add snapshot with sequence number %lld older than last sequence number %lld",
                       (long long)sequence, (long long)last);
    raise_to(u->doc, "last-sequence-number", sequence);
    json_object_set_new(u->doc, "last-updated-ms", json_integer(time));
    json_array_append(list_of(u->doc, "snapshots"), given);
    json_array_append_new(u->added_snapshots, json_integer(id));
    return 0;
}

static bool was_added(const struct update *u, int64_t id)
{
    for (size_t i = 0; i < json_array_size(u->added_snapshots); i++)
        if (json_integer_value(json_array_get(u->added_snapshots, i)) == id)
            return true;
    return false;
}

/* "main" is what the table is now, and what the log of snapshots tells of. */
static void set_main(struct update *u, const json_t *snapshot, int64_t id)
{
    json_t *entry = json_object();

    if (json_opt_i64(u->doc, "current-snapshot-id", -1) == id) {
        json_decref(entry);
        return;
    }
    int64_t time = was_added(u, id) ? json_opt_i64(snapshot, "timestamp-ms", u->now_ms) : u->now_ms;
    json_object_set_new(u->doc, "current-snapshot-id", json_integer(id));
    json_object_set_new(entry, "timestamp-ms", json_integer(time));
    json_object_set_new(entry, "snapshot-id", json_integer(id));
    json_array_append_new(list_of(u->doc, "snapshot-log"), entry);
}

static int set_ref(struct update *u, const json_t *update, struct err *err)
{
    static const char *const members[] = {"snapshot-id", "type", "min-snapshots-to-keep", "max-snapshot-age-ms",
                                          "max-ref-age-ms"};
    struct str name, type;
    int64_t id;
    int rc = json_get_str(update, "ref-name", &name, err);

    if (rc == 0)
        rc = json_get_str(update, "type", &type, err);
    if (rc == 0)
        rc = json_get_i64(update, "snapshot-id", &id, err);
    if (rc < 0)
        return rc;
    const json_t *snapshot = find_by_id(json_object_get(u->doc, "snapshots"), "snapshot-id", id);
    bool is_main = str_eq(name, STR("main"));
    if (!snapshot)
        return invalid(err, "Cannot set %.*s to unknown snapshot: %lld", STR_ARG(name), (long long)id);
    if (!str_eq(type, STR("branch")) && (!str_eq(type, STR("tag")) || is_main))
        return invalid(err, "Invalid snapshot ref type for %.*s: %.*s", STR_ARG(name), STR_ARG(type));
    json_t *ref = json_object();
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_object_get(update, members[i]) && !json_is_null(json_object_get(update, members[i])))
            json_object_set(ref, members[i], json_object_get(update, members[i]));
    json_object_setn_new(object_of(u->doc, "refs"), name.p, name.n, ref);
    if (is_main)
        set_main(u, snapshot, id);
    return 0;
}

static int remove_ref(struct update *u, const json_t *update, struct err *err)
{
    struct str name;
    int rc = json_get_str(update, "ref-name", &name, err);

    if (rc < 0)
        return rc;
    json_object_deln(object_of(u->doc, "refs"), name.p, name.n);
    if (str_eq(name, STR("main"))) {
        json_object_set_new(u->doc, "current-snapshot-id", json_integer(-1));
        json_object_set_new(u->doc, "snapshot-log", json_array());
    }
    return 0;
}

/* The log tells the story from the last snapshot that is gone on: what was before has a hole. */
static void trim_log(struct update *u)
{
    json_t *log = list_of(u->doc, "snapshot-log");
    const json_t *snapshots = json_object_get(u->doc, "snapshots");

    for (size_t i = json_array_size(log); i-- > 0;) {
        if (find_by_id(snapshots, "snapshot-id", json_opt_i64(json_array_get(log, i), "snapshot-id", -1)))
            continue;
        for (size_t k = 0; k <= i; k++)
            json_array_remove(log, 0);
        break;
    }
}

static int remove_snapshots(struct update *u, const json_t *update, struct err *err)
{
    json_t *ids, *each, *ref;
    const char *name;
    void *next;
    size_t i;
    int rc = json_get_array(update, "snapshot-ids", &ids, err);

    if (rc < 0)
        return rc;
    json_array_foreach(ids, i, each)
    {
        int64_t id = json_is_integer(each) ? json_integer_value(each) : -1;
        if (id == -1 || id == json_opt_i64(u->doc, "current-snapshot-id", -1))
            return invalid(err, "Cannot remove the current snapshot: %lld", (long long)id);
        remove_by_id(list_of(u->doc, "snapshots"), "snapshot-id", id);
        remove_by_id(list_of(u->doc, "statistics"), "snapshot-id", id);
        remove_by_id(list_of(u->doc, "partition-statistics"), "snapshot-id", id);
        json_object_foreach_safe(object_of(u->doc, "refs"), next, name,
                                 ref) if (json_opt_i64(ref, "snapshot-id", -1) == id)
            json_object_del(object_of(u->doc, "refs"), name);
    }
    trim_log(u);
    return 0;
}

/* ---- the rest ---- */

static int assign_uuid(struct update *u, const json_t *update, struct err *err)
{
    struct str uuid;
    int rc = json_get_str(update, "uuid", &uuid, err);

    if (rc == 0)
        json_object_set_new(u->doc, "table-uuid", str_new(uuid));
    return rc;
}

static int upgrade(struct update *u, const json_t *update, struct err *err)
{
    int64_t version, now = json_opt_i64(u->doc, "format-version", 2);
    int rc = need_i64(update, "format-version", &version, err);

    if (rc < 0)
        return rc;
    if (version > 2)
        return err_set(err, ERR_UNSUPPORTED, "Iceberg format version %lld is not supported: versions 1 and 2 are",
                       (long long)version);
    if (version < now)
        return invalid(err, "Cannot downgrade v%lld table to v%lld", (long long)now, (long long)version);
    return 0;
}

static int set_location(struct update *u, const json_t *update, struct err *err)
{
    struct str location;
    int rc = json_get_str(update, "location", &location, err);

    if (rc == 0)
        json_object_set_new(u->doc, "location", str_new(location));
    return rc;
}

static int set_properties(struct update *u, const json_t *update, struct err *err)
{
    json_t *given, *value;
    const char *name;
    /* "updated" is what releases before 1.1 called it. */
    int rc = json_get_object(update, json_object_get(update, "updated") ? "updated" : "updates", &given, err);

    if (rc < 0)
        return rc;
    json_object_foreach(given, name, value)
    {
        if (!json_is_string(value))
            return invalid(err, "The property %s is not a text", name);
        json_object_set(object_of(u->doc, "properties"), name, value);
    }
    return 0;
}

static int remove_properties(struct update *u, const json_t *update, struct err *err)
{
    json_t *given, *each;
    size_t i;
    int rc = json_get_array(update, json_object_get(update, "removed") ? "removed" : "removals", &given, err);

    if (rc < 0)
        return rc;
    json_array_foreach(given, i, each) if (json_is_string(each))
        json_object_del(object_of(u->doc, "properties"), json_string_value(each));
    return 0;
}

/* Both kinds of statistics: one file a snapshot. */
static int set_file(struct update *u, const json_t *update, const char *member, const char *list, struct err *err)
{
    json_t *given;
    int64_t id;
    int rc = json_get_object(update, member, &given, err);

    if (rc == 0)
        rc = json_get_i64(given, "snapshot-id", &id, err);
    if (rc < 0)
        return rc;
    remove_by_id(list_of(u->doc, list), "snapshot-id", id);
    json_array_append(list_of(u->doc, list), given);
    return 0;
}

static int remove_file(struct update *u, const json_t *update, const char *list, struct err *err)
{
    int64_t id;
    int rc = need_i64(update, "snapshot-id", &id, err);

    if (rc == 0)
        remove_by_id(list_of(u->doc, list), "snapshot-id", id);
    return rc;
}

static int set_statistics(struct update *u, const json_t *update, struct err *err)
{
    return set_file(u, update, "statistics", "statistics", err);
}

static int remove_statistics(struct update *u, const json_t *update, struct err *err)
{
    return remove_file(u, update, "statistics", err);
}

static int set_partition_statistics(struct update *u, const json_t *update, struct err *err)
{
    return set_file(u, update, "partition-statistics", "partition-statistics", err);
}

static int remove_partition_statistics(struct update *u, const json_t *update, struct err *err)
{
    return remove_file(u, update, "partition-statistics", err);
}

static const struct {
    const char *action;
    int (*make)(struct update *u, const json_t *update, struct err *err);
} kinds[] = {
    {"assign-uuid", assign_uuid},
    {"upgrade-format-version", upgrade},
    {"add-schema", add_schema},
    {"set-current-schema", set_schema},
    {"remove-schemas", remove_schemas},
    {"add-spec", add_spec},
    {"set-default-spec", set_spec},
    {"remove-partition-specs", remove_specs},
    {"add-sort-order", add_order},
    {"set-default-sort-order", set_order},
    {"add-snapshot", add_snapshot},
    {"set-snapshot-ref", set_ref},
    {"remove-snapshot-ref", remove_ref},
    {"remove-snapshots", remove_snapshots},
    {"set-location", set_location},
    {"set-properties", set_properties},
    {"remove-properties", remove_properties},
    {"set-statistics", set_statistics},
    {"remove-statistics", remove_statistics},
    {"set-partition-statistics", set_partition_statistics},
    {"remove-partition-statistics", remove_partition_statistics},
};

static int make_update(struct update *u, const json_t *update, struct err *err)
{
    struct str action;
    int rc = json_get_str(update, "action", &action, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_cstr(action, kinds[i].action))
            return kinds[i].make(u, update, err);
    return err_set(err, ERR_UNSUPPORTED, "the table update %.*s is not supported", STR_ARG(action));
}

/* ---- requirements ---- */

static int failed(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int failed(struct err *err, const char *fmt, ...)
{
    char text[ERR_MESSAGE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set_named(err, ERR_CONFLICT, "ICEBERG_COMMIT_ERROR", "Requirement failed: %s", text);
}

/* An id that has to be what the client saw. */
static int check_id(const json_t *requirement, const char *key, const json_t *doc, const char *member, const char *what,
                    struct err *err)
{
    int64_t expected;
    int rc = need_i64(requirement, key, &expected, err);
    int64_t found = json_opt_i64(doc, member, -1);

    return rc < 0 ? rc
           : expected == found
               ? 0
               : failed(err, "%s changed: expected id %lld != %lld", what, (long long)expected, (long long)found);
}

static int check_ref(const json_t *requirement, const json_t *doc, struct err *err)
{
    struct str name;
    int rc = json_get_str(requirement, "ref", &name, err);

    if (rc < 0)
        return rc;
    const json_t *ref = json_object_getn(json_object_get(doc, "refs"), name.p, name.n);
    const json_t *wanted = json_object_get(requirement, "snapshot-id");
    int64_t expected = json_is_integer(wanted) ? json_integer_value(wanted) : -1;
    int64_t found = json_opt_i64(ref, "snapshot-id", -1);
    struct str type = json_opt_str(ref, "type", STR("branch"));
    /* Version 1 and old writers name the current snapshot only. */
    if (!ref && str_eq(name, STR("main")))
        found = json_opt_i64(doc, "current-snapshot-id", -1);
    if (expected == found)
        return 0;
    if (found == -1)
        return failed(err, "branch or tag %.*s is missing, expected %lld", STR_ARG(name), (long long)expected);
    if (expected == -1)
        return failed(err, "%.*s %.*s was created concurrently", STR_ARG(type), STR_ARG(name));
    return failed(err, "%.*s %.*s has changed: expected id %lld != %lld", STR_ARG(type), STR_ARG(name),
                  (long long)expected, (long long)found);
}

static int check_uuid(const json_t *requirement, const json_t *doc, struct err *err)
{
    struct str uuid, found = json_opt_str(doc, "table-uuid", STR_NULL);
    int rc = json_get_str(requirement, "uuid", &uuid, err);

    return rc < 0 ? rc
           : str_eq_nocase(uuid, found)
               ? 0
               : failed(err, "UUID does not match: expected %.*s != %.*s", STR_ARG(found), STR_ARG(uuid));
}

static const struct {
    const char *type, *key, *member, *what;
} id_requirements[] = {
    {"assert-last-assigned-field-id", "last-assigned-field-id", "last-column-id", "last assigned field id"},
    {"assert-current-schema-id", "current-schema-id", "current-schema-id", "current schema"},
    {"assert-last-assigned-partition-id", "last-assigned-partition-id", "last-partition-id",
     "last assigned partition id"},
    {"assert-default-spec-id", "default-spec-id", "default-spec-id", "default partition spec"},
    {"assert-default-sort-order-id", "default-sort-order-id", "default-sort-order-id", "default sort order"},
};

static int check_requirement(const json_t *requirement, const json_t *doc, bool exists, struct err *err)
{
    struct str type;
    int rc = json_get_str(requirement, "type", &type, err);

    if (rc < 0)
        return rc;
    if (str_eq(type, STR("assert-create")))
        return exists ? failed(err, "table already exists") : 0;
    if (str_eq(type, STR("assert-table-uuid")))
        return check_uuid(requirement, doc, err);
    if (str_eq(type, STR("assert-ref-snapshot-id")))
        return check_ref(requirement, doc, err);
    for (size_t i = 0; i < ARRAY_LEN(id_requirements); i++)
        if (str_eq_cstr(type, id_requirements[i].type))
            return check_id(requirement, id_requirements[i].key, doc, id_requirements[i].member,
                            id_requirements[i].what, err);
    return err_set(err, ERR_UNSUPPORTED, "the table requirement %.*s is not supported", STR_ARG(type));
}

/* ---- the commit ---- */

struct request {
    const json_t *requirements, *updates;
    bool is_new;
};

static int apply(void *ctx, struct iceberg_change *c, struct err *err)
{
    const struct request *q = ctx;
    JSON_SCOPED json_t *doc = json_deep_copy(c->base->json);
    JSON_SCOPED json_t *added = json_array();
    struct update u = {.doc = doc,
                       .arena = &c->arena,
                       .now_ms = clock_wall_ms(),
                       .last_schema = LAST_ADDED,
                       .last_spec = LAST_ADDED,
                       .last_order = LAST_ADDED,
                       .added_snapshots = added};
    int rc = 0;

    if (json_array_size(q->updates) > UPDATES_MAX || json_array_size(q->requirements) > UPDATES_MAX)
        return err_set(err, ERR_LIMIT, "a commit has at most %d updates", UPDATES_MAX);
    for (size_t i = 0; rc == 0 && i < json_array_size(q->requirements); i++)
        rc = check_requirement(json_array_get(q->requirements, i), c->base->json, !q->is_new, err);
    if (rc < 0)
        return rc;
    if (json_array_size(q->updates) == 0)
        return 1;
    if (q->is_new) {
        remove_by_id(list_of(doc, "schemas"), "schema-id", -1);
        remove_by_id(list_of(doc, "partition-specs"), "spec-id", -1);
    }
    for (size_t i = 0; rc == 0 && i < json_array_size(q->updates); i++)
        rc = make_update(&u, json_array_get(q->updates, i), err);
    if (rc < 0)
        return rc;
    if (json_array_size(added) == 0 && json_opt_i64(doc, "last-updated-ms", 0) < u.now_ms)
        json_object_set_new(doc, "last-updated-ms", json_integer(u.now_ms));
    c->metadata_folder = iceberg_metadata_folder(
        &c->arena, json_opt_str(doc, "location", STR("")),
        json_opt_str(json_object_get(doc, "properties"), "write.metadata.path", STR_NULL));
    c->document = json_incref(doc);
    return 0;
}

int iceberg_update_table(const struct iceberg_commit *c, const json_t *requirements, const json_t *updates,
                         struct err *err)
{
    struct request q = {requirements, updates, false};

    return iceberg_commit_change(c, apply, &q, NULL, err);
}

/* What the updates of a staged create start from: TableMetadata.buildFromEmpty. Its schema and spec are placeholders that
 * the updates never see: metadata without any can't be read. */
static int empty_metadata(struct iceberg_metadata **ret, struct err *err)
{
    char text[1024], uuid[UUID_TEXT_SIZE];

    uuid_v4(uuid);
    snprintf(text, sizeof(text),
             "{\"format-version\":2,\"table-uuid\":\"%s\",\"location\":\"\",\"last-sequence-number\":0,"
             "\"last-updated-ms\":%lld,\"last-column-id\":0,\"current-schema-id\":-1,"
             "\"schemas\":[{\"type\":\"struct\",\"schema-id\":-1,\"fields\":[]}],\"default-spec-id\":-1,"
             "\"partition-specs\":[{\"spec-id\":-1,\"fields\":[]}],\"last-partition-id\":999,"
             "\"default-sort-order-id\":0,\"sort-orders\":[],\"properties\":{},\"current-snapshot-id\":-1,\"refs\":{},"
             "\"snapshots\":[],\"statistics\":[],\"partition-statistics\":[],\"snapshot-log\":[],\"metadata-log\":[]}",
             uuid, (long long)clock_wall_ms());
    return iceberg_metadata_parse(str_from_cstr(text), ret, err);
}

static int apply_new(void *ctx, struct iceberg_change *c, struct err *err)
{
    int rc = apply(ctx, c, err);

    if (rc != 0)
        return rc == 1 ? invalid(err, "A new table needs updates that describe it") : rc;
    json_t *doc = c->document;
    if (json_array_size(json_object_get(doc, "sort-orders")) == 0)
        json_array_append_new(list_of(doc, "sort-orders"), json_pack("{s:i,s:[]}", "order-id", UNSORTED, "fields"));
    if (json_opt_i64(doc, "current-schema-id", -1) == -1)
        return invalid(err, "A new table needs a current schema");
    if (json_opt_i64(doc, "default-spec-id", -1) == -1)
        return invalid(err, "A new table needs a default partition spec");
    if (str_is_empty(json_opt_str(doc, "location", STR(""))))
        return invalid(err, "A new table needs a location");
    return 0;
}

int iceberg_update_new_table(const struct iceberg_commit *c, const json_t *requirements, const json_t *updates,
                             struct err *err)
{
    struct request q = {requirements, updates, true};
    struct iceberg_metadata *m;
    int rc = empty_metadata(&m, err);

    return rc < 0 ? rc : iceberg_commit_new(c, m, apply_new, &q, err);
}

/* ---- a new table of a client's schema ---- */

/* Finds what an id became: both trees have the same shape. */
static int new_id(const struct iceberg_field *before, const struct iceberg_field *after, size_t n, int id)
{
    for (size_t i = 0; i < n; i++) {
        if (before[i].id == id)
            return after[i].id;
        int inner = new_id(before[i].type->fields, after[i].type->fields, before[i].type->field_count, id);
        if (inner)
            return inner;
    }
    return 0;
}

static int follow(const struct iceberg_schema *before, const struct iceberg_schema *after, int id, int *ret,
                  struct err *err)
{
    int found = new_id(before->fields, after->fields, before->field_count, id);

    if (!found)
        return invalid(err, "Cannot find source column with field id %d", id);
    *ret = found;
    return 0;
}

static int read_schema(struct arena *a, const json_t *schema, const json_t *spec, struct iceberg_schema *before,
                       struct iceberg_new_table *t, struct err *err)
{
    int last;
    int rc = iceberg_schema_parse(a, schema, before, err);

    if (rc == 0)
        rc = iceberg_schema_parse(a, schema, &t->schema, err);
    if (rc == 0 && spec)
        rc = iceberg_spec_parse_fields(a, json_object_get(spec, "fields"), &t->spec, err);
    if (rc < 0)
        return rc;
    iceberg_assign_ids(a, &t->schema, &last);
    for (size_t i = 0; rc == 0 && i < t->schema.identifier_count; i++)
        rc = follow(before, &t->schema, before->identifier_ids[i], &t->schema.identifier_ids[i], err);
    for (size_t i = 0; rc == 0 && i < t->spec.field_count; i++)
        rc = follow(before, &t->schema, t->spec.fields[i].source_id, &t->spec.fields[i].source_id, err);
    return rc;
}

static int set_sort_order(struct iceberg_metadata *m, const json_t *order, const struct iceberg_schema *before,
                          const struct iceberg_schema *after, struct err *err)
{
    json_t *fields, *each;
    size_t i;
    int rc = json_get_array(order, "fields", &fields, err);

    if (rc < 0 || json_array_size(fields) == 0)
        return rc;
    json_t *copy = json_deep_copy(order);
    json_object_set_new(copy, "order-id", json_integer(1));
    json_object_set_new(m->json, "sort-orders", json_pack("[o]", copy));
    json_object_set_new(m->json, "default-sort-order-id", json_integer(1));
    json_array_foreach(json_object_get(copy, "fields"), i, each)
    {
        int id;
        rc = follow(before, after, (int)json_opt_i64(each, "source-id", 0), &id, err);
        if (rc < 0)
            return rc;
        json_object_set_new(each, "source-id", json_integer(id));
    }
    return 0;
}

int iceberg_make_metadata(struct arena *a, struct str location, const json_t *schema, const json_t *spec,
                          const json_t *order, const json_t *properties, struct iceberg_metadata **ret, struct err *err)
{
    struct iceberg_new_table t = {.location = location};
    struct iceberg_schema before;
    struct iceberg_metadata *m;
    const char *name;
    json_t *value;
    size_t n = json_object_size(properties);
    struct str *names = arena_array(a, struct str, n), *values = arena_array(a, struct str, n);

    t.property_names = names;
    t.property_values = values;
    json_object_foreach((json_t *)properties, name, value)
    {
        if (!json_is_string(value))
            return invalid(err, "The property %s is not a text", name);
        names[t.property_count] = str_from_cstr(name);
        values[t.property_count++] = json_str(value);
    }
    int rc = read_schema(a, schema, spec, &before, &t, err);
    if (rc == 0)
        rc = iceberg_new_metadata(a, &t, &m, err);
    if (rc < 0)
        return rc;
    rc = order ? set_sort_order(m, order, &before, &t.schema, err) : 0;
    if (rc < 0)
        iceberg_metadata_unref(m);
    else
        *ret = m;
    return rc;
}

static int apply_as_it_is(void *ctx, struct iceberg_change *c, struct err *err)
{
    (void)ctx, (void)err;
    c->document = json_deep_copy(c->base->json);
    return 0;
}

int iceberg_create_from_metadata(const struct iceberg_commit *c, struct iceberg_metadata *m, struct err *err)
{
    return iceberg_commit_new(c, m, apply_as_it_is, NULL, err);
}
