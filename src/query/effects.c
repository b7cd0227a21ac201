/* Statements whose result is what they change: the connectors' schemas and tables, the client's session, transactions. */
#include "query/internal.h"

static int unsupported(struct err *err, const char *what)
{
    return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "This connector does not support %s", what);
}

typedef int (*ddl_fn)(struct connector *c, struct arena *a, const struct statement *s, struct err *err);

static int apply_ddl(struct query *q, const struct statement *s, ddl_fn run, const char *what, struct err *err)
{
    if (s->is_noop)
        return 0;
    return run ? run(s->connector, &q->work, s, err) : unsupported(err, what);
}

static struct str keep(struct query *q, struct str s)
{
    return str_is_null(s) ? STR_NULL : arena_str(&q->arena, s);
}

static int call(struct query *q, const struct statement *s, struct err *err)
{
    int rc = s->procedure->call(s->connector, &q->work, q->access, s->arguments, err);

    return rc == 0 && query_is_cancelled(q, err) ? err->code : rc; /* a procedure may end the query that calls it */
}

static int start_transaction(struct query *q, const struct statement *s, struct err *err)
{
    if (!q->session.keeps_transactions)
        return err_set_named(err, ERR_UNSUPPORTED, "INCOMPATIBLE_CLIENT", "Client does not support transactions");
    if (!str_is_null(q->session.transaction_id))
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Nested transactions not supported");
    transactions_begin(q->owner->transactions, &q->arena, s, &q->changes.started_transaction);
    return 0;
}

static int end_transaction(struct query *q, struct err *err)
{
    if (str_is_null(q->session.transaction_id))
        return err_set_named(err, ERR_INVALID, "NOT_IN_TRANSACTION", "No transaction in progress");
    transactions_end(q->owner->transactions, q->session.transaction_id);
    q->changes.clear_transaction = true;
    return 0;
}

int query_apply(struct query *q, const struct statement *s, struct err *err)
{
    const struct connector_ops *ops = s->connector ? s->connector->ops : NULL;
    struct session_changes *c = &q->changes;

    switch (s->kind) {
    case STATEMENT_CREATE_SCHEMA:
        return apply_ddl(q, s, ops->create_schema, "creating schemas", err);
    case STATEMENT_DROP_SCHEMA:
        return apply_ddl(q, s, ops->drop_schema, "dropping schemas", err);
    case STATEMENT_CREATE_TABLE:
        return apply_ddl(q, s, ops->create_table, "creating tables", err);
    case STATEMENT_DROP_TABLE:
        return apply_ddl(q, s, ops->drop_table, "dropping tables", err);
    case STATEMENT_RENAME_TABLE:
        return apply_ddl(q, s, ops->rename_table, "renaming tables", err);
    case STATEMENT_USE:
        c->set_catalog = keep(q, s->catalog);
        c->set_schema = keep(q, s->schema);
        return 0;
    case STATEMENT_SET_SESSION:
        c->set_session_name = keep(q, s->name);
        c->set_session_value = keep(q, s->value);
        return 0;
    case STATEMENT_RESET_SESSION:
        c->clear_session = keep(q, s->name);
        return 0;
    case STATEMENT_SET_TIME_ZONE: /* Trino keeps the zone as a session property */
        c->set_session_name = STR("time_zone_id");
        c->set_session_value = keep(q, s->value);
        return 0;
    case STATEMENT_SET_ROLE:
        c->set_role_catalog = keep(q, s->name);
        c->set_role = s->value;
        return 0;
    case STATEMENT_SET_SESSION_AUTHORIZATION:
        c->set_authorization_user = keep(q, s->name);
        c->reset_authorization_user = str_is_null(s->name);
        return 0;
    case STATEMENT_DROP_ROLE:
        return 0;
    case STATEMENT_PREPARE:
        c->added_prepare_name = keep(q, s->name);
        c->added_prepare_text = keep(q, s->value);
        return 0;
    case STATEMENT_DEALLOCATE:
        c->deallocated_prepare = keep(q, s->name);
        return 0;
    case STATEMENT_START_TRANSACTION:
        return start_transaction(q, s, err);
    case STATEMENT_COMMIT:
    case STATEMENT_ROLLBACK:
        return end_transaction(q, err);
    case STATEMENT_CALL:
        return call(q, s, err);
    case STATEMENT_QUERY:
    case STATEMENT_EXPLAIN:
    case STATEMENT_CREATE_TABLE_AS:
    case STATEMENT_INSERT:
    case STATEMENT_DELETE:
        break;
    }
    return err_set(err, ERR_INTERNAL, "a statement of kind %d has rows, not effects", s->kind);
}
