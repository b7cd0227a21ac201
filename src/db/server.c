/* A PostgreSQL server by its parts, as platform.yaml names it. */
#include "db/db.h"
#include "os/file.h"

enum { CONNINFO_MAX = 8192 };

/* A value of libpq's conninfo, whatever is in it. */
static void add_conninfo(struct buf *to, const char *key, struct str value)
{
    buf_addf(to, "%s='", key);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\'' || value.p[i] == '\\')
            buf_add_char(to, '\\');
        buf_add_char(to, value.p[i]);
    }
    buf_add_cstr(to, "' ");
}

int db_open_server(const struct db_server *s, struct db **ret, struct err *err)
{
    BUF_SCOPED struct buf conninfo = {0}, password = {0};
    ARENA_SCOPED struct arena a;
    int rc = 0;

    arena_init(&a, 0);
    buf_init(&conninfo, CONNINFO_MAX);
    buf_init(&password, CONNINFO_MAX);
    add_conninfo(&conninfo, "host", s->host);
    buf_addf(&conninfo, "port=%d ", s->port);
    add_conninfo(&conninfo, "dbname", s->database);
    add_conninfo(&conninfo, "user", s->user);
    if (!str_is_null(s->password_file))
        rc = file_read(arena_cstr(&a, s->password_file), &password, err);
    while (password.n && (password.p[password.n - 1] == '\n' || password.p[password.n - 1] == '\r'))
        buf_truncate(&password, password.n - 1);
    if (rc == 0)
        rc = buf_check(&conninfo, "the server's address", err);
    if (rc == 0)
        rc = db_open_postgres(buf_cstr(&conninfo), password.n ? buf_cstr(&password) : NULL, ret, err);
    explicit_bzero(password.p, password.n);
    return rc;
}
