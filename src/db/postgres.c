/*
 * The PostgreSQL backend, over libpq. Values travel as text, except bytes; results are read a row at a time, so
 * that the bound on rows holds before they are all in memory.
 */
#include "db/backend.h"

#include <libpq-fe.h>
#include <poll.h>

/* From the server's catalog (pg_type.dat): part of its protocol, they don't change. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_OID = 26 };
enum { INT_TEXT_SIZE = 24 };

struct config {
    char *conninfo, *password;
};

static void free_config(void *config)
{
    struct config *k = config;

    if (k->password)
        explicit_bzero(k->password, strlen(k->password));
    free(k->password);
    free(k->conninfo);
    free(k);
}

/* A row of this table decides for every SQLSTATE that starts with it; the first that fits counts. */
static const struct {
    const char *sqlstate;
    int code;
} codes[] = {
    {"23505", ERR_EXISTS},    /* unique_violation */
    {"42P06", ERR_EXISTS},    /* duplicate_schema */
    {"42P07", ERR_EXISTS},    /* duplicate_table */
    {"40", ERR_CONFLICT},     /* serialization_failure, deadlock_detected */
    {"55P03", ERR_CONFLICT},  /* lock_not_available */
    {"08", ERR_UNAVAILABLE},  /* connection exceptions */
    {"57P", ERR_UNAVAILABLE}, /* admin_shutdown, crash_shutdown, cannot_connect_now */
    {"53100", ERR_NO_SPACE},  /* disk_full */
    {"53", ERR_UNAVAILABLE},  /* too_many_connections, out_of_memory */
    {"28", ERR_DENIED},       /* invalid password, no such role */
    {"42501", ERR_DENIED},    /* insufficient_privilege */
    {"25006", ERR_DENIED},    /* read_only_sql_transaction */
    {"57014", ERR_TIMEOUT},   /* query_canceled, by a statement timeout of the server's */
    {"22", ERR_INVALID},      /* data exceptions */
    {"23", ERR_INVALID},      /* other integrity constraints */
    {"54", ERR_LIMIT},        /* program limits */
    {"58", ERR_IO},           /* errors outside PostgreSQL */
    {"XX001", ERR_CORRUPT},   /* data_corrupted */
    {"XX002", ERR_CORRUPT},   /* index_corrupted */
};

static int code_of(PGconn *h, const PGresult *r)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;

    if (PQstatus(h) != CONNECTION_OK)
        return ERR_UNAVAILABLE;
    for (size_t i = 0; state && i < ARRAY_LEN(codes); i++) {
        if (str_starts_with(str_from_cstr(state), str_from_cstr(codes[i].sqlstate)))
            return codes[i].code;
    }
    return ERR_INTERNAL;
}

/* libpq's messages are several lines, with one at the end: errors are one. */
static int set_error(struct err *err, int code, const char *message)
{
    struct str text = str_trim(str_from_cstr(message));
    int rc = err_set(err, code, "PostgreSQL: %.*s", STR_ARG(text));

    for (char *p = err ? err->message : NULL; p && *p; p++) {
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    }
    return rc;
}

static int result_error(PGconn *h, const PGresult *r, struct err *err)
{
    const char *message = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    return set_error(err, code_of(h, r), message ? message : PQerrorMessage(h));
}

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

static int pg_connect(const void *config, void **ret_handle, struct err *err)
{
    const struct config *k = config;
    /* The conninfo is expanded where "dbname" stands: what comes after it wins, what comes before are defaults. */
    const char *const keywords[] = {"connect_timeout",
                                    "keepalives_idle",
                                    "application_name",
                                    "dbname",
                                    "client_encoding",
                                    k->password ? "password" : NULL,
                                    NULL};
    const char *const values[] = {"10", "30", "dataplatform", k->conninfo, "UTF8", k->password, NULL};

    PGconn *h = PQconnectdbParams(keywords, values, 1);
    if (!h)
        abort();
    if (PQstatus(h) != CONNECTION_OK) {
        int rc = set_error(err,
                           PQconnectionNeedsPassword(h) || PQconnectionUsedPassword(h) ? ERR_DENIED : ERR_UNAVAILABLE,
                           PQerrorMessage(h));
        PQfinish(h);
        return rc;
    }
    PQsetNoticeReceiver(h, ignore_notice, NULL);
    *ret_handle = h;
    return 0;
}

static void pg_disconnect(void *handle)
{
    PQfinish(handle);
}

/* An idle connection has nothing to read: when there is something, it is the server's goodbye. */
static bool pg_is_usable(void *handle)
{
    struct pollfd fd = {.fd = PQsocket(handle), .events = POLLIN};

    return PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE && poll(&fd, 1, 0) == 0;
}

/* What PQsendQueryParams wants of the parameters; `ints` holds the numbers' text. */
struct encoded {
    Oid types[64];
    const char *values[64];
    int lengths[64], formats[64];
    char ints[64][INT_TEXT_SIZE];
};

static int encode(struct arena *a, const struct db_value *params, size_t n, struct encoded *e, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct db_value *v = &params[i];

        e->types[i] = 0; /* the server infers it */
        e->values[i] = NULL;
        e->lengths[i] = e->formats[i] = 0;
        switch (v->type) {
        case DB_NULL:
            break;
        case DB_INT:
            snprintf(e->ints[i], INT_TEXT_SIZE, "%lld", (long long)v->i);
            e->types[i] = OID_INT8;
            e->values[i] = e->ints[i];
            break;
        case DB_TEXT: {
            char *text = arena_try_alloc(a, v->text.n + 1);
            if (!text)
                return err_set(err, ERR_LIMIT, "a statement's parameters are too large");
            if (v->text.n)
                memcpy(text, v->text.p, v->text.n);
            e->values[i] = text;
            break;
        }
        case DB_BLOB:
            if (v->text.n > INT32_MAX)
                return err_set(err, ERR_LIMIT, "a statement's parameters are too large");
            e->types[i] = OID_BYTEA;
            e->values[i] = v->text.n ? v->text.p : "";
            e->lengths[i] = (int)v->text.n;
            e->formats[i] = 1;
            break;
        }
    }
    return 0;
}

static int collect_value(struct db_collector *c, const PGresult *r, int column, struct db_value *to, struct err *err)
{
    struct str text = str_from(PQgetvalue(r, 0, column), (size_t)PQgetlength(r, 0, column));
    int rc;

    switch (PQftype(r, column)) {
    case OID_BOOL:
        *to = db_int(text.n == 1 && text.p[0] == 't');
        return 0;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
        *to = db_int(0);
        return str_to_i64(text, &to->i, err);
    case OID_BYTEA: {
        size_t n;
        unsigned char *bytes = PQunescapeBytea((const unsigned char *)text.p, &n);
        if (!bytes)
            abort();
        rc = db_collect_bytes(c, DB_BLOB, str_from((const char *)bytes, n), to, err);
        PQfreemem(bytes);
        return rc;
    }
    default:
        return db_collect_bytes(c, DB_TEXT, text, to, err);
    }
}

static int collect(struct db_collector *c, const PGresult *r, struct err *err)
{
    int columns = PQnfields(r);
    struct db_value *row;
    int rc = db_collect_row(c, (size_t)columns, &row, err);

    for (int i = 0; rc == 0 && i < columns; i++) {
        if (PQgetisnull(r, 0, i))
            row[i] = (struct db_value){.type = DB_NULL};
        else
            rc = collect_value(c, r, i, &row[i], err);
    }
    return rc;
}

/* Reads results until libpq has no more, so that the connection can be used again; the first error counts. */
static int drain(PGconn *h, struct db_collector *rows, int64_t *changed, struct err *err)
{
    PGresult *r;
    int rc = 0;

    while ((r = PQgetResult(h)) != NULL) {
        ExecStatusType status = PQresultStatus(r);

        if (rc < 0)
            ; /* already failed: only read on */
        else if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            rows->rows.column_count = (size_t)PQnfields(r);
            if (status == PGRES_SINGLE_TUPLE && rows->a)
                rc = collect(rows, r, err);
            else if (status != PGRES_SINGLE_TUPLE && *PQcmdTuples(r))
                rc = str_to_i64(str_from_cstr(PQcmdTuples(r)), changed, err);
            if (rc < 0) {
                /* Rather than read millions of rows to drop them, ask the server to stop. */
                PGcancel *cancel = PQgetCancel(h);
                char ignored[256];
                PQcancel(cancel, ignored, sizeof(ignored));
                PQfreeCancel(cancel);
            }
        } else {
            rc = result_error(h, r, err);
        }
        PQclear(r);
    }
    return rc;
}

static int pg_run(void *handle, const char *sql, const struct db_value *params, size_t n, struct arena *a,
                  struct db_rows *ret, int64_t *ret_changed, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    PGconn *h = handle;
    struct encoded *e = arena_new(&scratch, struct encoded);
    struct db_collector rows = {.a = a};
    int64_t changed = 0;

    int rc = encode(&scratch, params, n, e, err);
    if (rc < 0)
        return rc;
    if (!PQsendQueryParams(h, sql, (int)n, e->types, e->values, e->lengths, e->formats, 0))
        return result_error(h, NULL, err);
    if (a)
        PQsetSingleRowMode(h);
    rc = drain(h, &rows, &changed, err);
    if (rc < 0)
        return rc;
    if (ret)
        *ret = rows.rows;
    if (ret_changed)
        *ret_changed = changed;
    return 0;
}

const struct db_backend db_backend_postgres = {
    .kind = DB_POSTGRESQL,
    .begin = "BEGIN ISOLATION LEVEL SERIALIZABLE",
    .table_exists = "SELECT count(*) FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
                    "AND relname = $1 AND pg_catalog.pg_table_is_visible(oid)",
    .free_config = free_config,
    .connect = pg_connect,
    .disconnect = pg_disconnect,
    .is_usable = pg_is_usable,
    .run = pg_run,
};

int db_open_postgres(const char *conninfo, const char *password, struct db **ret, struct err *err)
{
    struct config *k = calloc(1, sizeof(*k));

    if (!k)
        abort();
    k->conninfo = strdup(conninfo);
    k->password = password ? strdup(password) : NULL;
    if (!k->conninfo || (password && !k->password))
        abort();
    return db_new(&db_backend_postgres, k, ret, err);
}
