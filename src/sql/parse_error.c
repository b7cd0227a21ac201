/*
 * What a syntax error says: "mismatched input 'x'. Expecting: 'a', <expression>".
 *
 * Recursive descent knows that it can't go on, but not what else could have stood there. So after a failure, and only
 * then, the tokens are walked again over the language as a table: rules in a small notation, compiled once into
 * a network of states. The walk follows every path that the tokens allow. The token that none of them gets past is where
 * the text stops making sense, and what the paths wanted there is the list. Large constructs are listed by name:
 * a rule marked with '!' is shown as the name behind it when the text ends where the rule would begin.
 *
 * The way the walk counts (which names hide which, what a rule that matched nothing shows) is that of Trino's parser, so
 * that the texts are the same.
 *
 * The notation: words in capitals are keywords, '…' other tokens, $word a class of tokens, the rest are rules. Then
 * ( | ), ? * +; rule{n} calls a rule that reads operators only of a strength above n, and <n> before an operator is its
 * strength.
 */
#include "base/buf.h"
#include "sql/parser.h"
#include <pthread.h>

static const char *const grammar[] = {
    "only_statement = statement $end",
    "only_expression = expression $end",
    "only_type = type $end",

    "statement = rootQueryWithSession"
    " | USE identifier | USE identifier '.' identifier"
    " | CREATE create | DROP drop | ALTER alter"
    " | INSERT INTO name columns? rootQuery"
    " | DELETE FROM name (WHERE boolean)?"
    " | UPDATE name SET assignment (',' assignment)* (WHERE boolean)?"
    " | MERGE INTO name (AS? identifier)? USING relation ON expression mergeCase+"
    " | TRUNCATE TABLE name"
    " | COMMENT ON (TABLE | VIEW | COLUMN) name IS (string | NULL)"
    " | ANALYZE name (WITH properties)?"
    " | REFRESH MATERIALIZED VIEW name"
    " | CALL name '(' (argument (',' argument)*)? ')'"
    " | GRANT grant | REVOKE revoke"
    " | DENY (privilege (',' privilege)* | ALL PRIVILEGES) ON grantObject TO principal"
    " | SHOW show"
    " | EXPLAIN ('(' explainOption (',' explainOption)* ')')? statement"
    " | EXPLAIN ANALYZE VERBOSE? statement"
    " | DESCRIBE name | DESC name | DESCRIBE (INPUT | OUTPUT) identifier"
    " | SET set | RESET SESSION (AUTHORIZATION | name)"
    " | START TRANSACTION (transactionMode (',' transactionMode)*)?"
    " | (COMMIT | ROLLBACK) WORK?"
    " | PREPARE identifier FROM statement | DEALLOCATE PREPARE identifier"
    " | EXECUTE identifier (USING expression (',' expression)*)?"
    " | EXECUTE IMMEDIATE string (USING expression (',' expression)*)?",

    "create = (OR REPLACE)? TABLE (IF NOT EXISTS)? name columns? (COMMENT string)? (WITH properties)?"
    "   AS (rootQuery | '(' rootQuery ')') (WITH NO? DATA)?"
    " | (OR REPLACE)? TABLE (IF NOT EXISTS)? name '(' tableElement (',' tableElement)* ')' (COMMENT string)?"
    "   (WITH properties)?"
    " | (OR REPLACE)? VIEW name (COMMENT string)? (SECURITY (DEFINER | INVOKER))? (WITH properties)? AS rootQuery"
    " | (OR REPLACE)? MATERIALIZED VIEW (IF NOT EXISTS)? name (GRACE PERIOD interval)? (COMMENT string)?"
    "   (WITH properties)? AS rootQuery"
    " | (OR REPLACE)? function"
    " | SCHEMA (IF NOT EXISTS)? name (AUTHORIZATION principal)? (WITH properties)?"
    " | CATALOG (IF NOT EXISTS)? identifier USING identifier (COMMENT string)? (AUTHORIZATION principal)?"
    "   (WITH properties)?"
    " | ROLE identifier (WITH ADMIN grantor)? (IN identifier)?",
    "drop = (TABLE | VIEW | MATERIALIZED VIEW) (IF EXISTS)? name"
    " | SCHEMA (IF EXISTS)? name (CASCADE | RESTRICT)?"
    " | CATALOG (IF EXISTS)? identifier (CASCADE | RESTRICT)?"
    " | FUNCTION (IF EXISTS)? functionDeclaration"
    " | ROLE (IF EXISTS)? identifier (IN identifier)?",
    "alter = SCHEMA name RENAME TO identifier"
    " | TABLE (IF EXISTS)? name (RENAME TO name"
    "   | ADD COLUMN (IF NOT EXISTS)? columnDefinition (FIRST | LAST | AFTER identifier)?"
    "   | RENAME COLUMN (IF EXISTS)? name TO identifier"
    "   | DROP COLUMN (IF EXISTS)? name"
    "   | ALTER COLUMN name SET DATA TYPE type"
    "   | ALTER COLUMN identifier DROP NOT NULL)"
    " | TABLE name SET PROPERTIES propertyList"
    " | TABLE name EXECUTE identifier ('(' (argument (',' argument)*)? ')')? (WHERE boolean)?"
    " | (TABLE | SCHEMA | VIEW | identifier) name SET AUTHORIZATION principal"
    " | MATERIALIZED VIEW (IF EXISTS)? name RENAME TO name"
    " | MATERIALIZED VIEW name SET PROPERTIES propertyList"
    " | VIEW name RENAME TO name",
    "grant = privilege (',' privilege)* TO principal (',' principal)* (WITH ADMIN OPTION)? (GRANTED BY grantor)?"
    "   (IN identifier)?"
    " | (privilege (',' privilege)* | ALL PRIVILEGES) ON grantObject TO principal (WITH GRANT OPTION)?",
    "revoke = (ADMIN OPTION FOR)? privilege (',' privilege)* FROM principal (',' principal)* (GRANTED BY grantor)?"
    "   (IN identifier)?"
    " | (GRANT OPTION FOR)? (privilege (',' privilege)* | ALL PRIVILEGES) ON grantObject FROM principal",
    "show = GRANTS (ON grantObject)?"
    " | CREATE (TABLE | SCHEMA | VIEW | MATERIALIZED VIEW | FUNCTION) name"
    " | (TABLES | FUNCTIONS) ((FROM | IN) name)? like?"
    " | SCHEMAS ((FROM | IN) identifier)? like?"
    " | (CATALOGS | SESSION) like?"
    " | COLUMNS (FROM | IN) name like?"
    " | STATS FOR name | STATS FOR '(' rootQuery ')'"
    " | CURRENT? ROLES ((FROM | IN) identifier)?"
    " | ROLE GRANTS ((FROM | IN) identifier)?",
    "like = LIKE string (ESCAPE string)?",
    "set = ROLE (ALL | NONE | identifier) (IN identifier)?"
    " | SESSION AUTHORIZATION (identifier | string)"
    " | SESSION name '=' expression"
    " | PATH pathElement (',' pathElement)*"
    " | TIME ZONE (LOCAL | expression)",
    "pathElement = identifier '.' identifier | identifier",
    "explainOption = FORMAT (TEXT | GRAPHVIZ | JSON) | TYPE (LOGICAL | DISTRIBUTED | VALIDATE | IO)",
    "transactionMode = ISOLATION LEVEL (READ UNCOMMITTED | READ COMMITTED | REPEATABLE READ | SERIALIZABLE)"
    " | READ (ONLY | WRITE)",
    "privilege = CREATE | SELECT | DELETE | INSERT | UPDATE | identifier",
    "grantObject = (TABLE | SCHEMA | identifier)? name",
    "grantor = principal | CURRENT_USER | CURRENT_ROLE",
    "principal = identifier | USER identifier | ROLE identifier",
    "argument = expression | identifier '=>' expression",
    "assignment = identifier '=' expression",
    "mergeCase = WHEN MATCHED (AND expression)? THEN UPDATE SET assignment (',' assignment)*"
    " | WHEN MATCHED (AND expression)? THEN DELETE"
    " | WHEN NOT MATCHED (AND expression)? THEN INSERT ('(' identifier (',' identifier)* ')')?"
    "   VALUES '(' expression (',' expression)* ')'",

    "tableElement = columnDefinition | LIKE name ((INCLUDING | EXCLUDING) PROPERTIES)?",
    "columnDefinition = name type (NOT NULL)? (COMMENT string)? (WITH properties)?",
    "properties = '(' propertyList ')'",
    "propertyList = property (',' property)*",
    "property = identifier '=' (DEFAULT | expression)",
    "columns = '(' identifier (',' identifier)* ')'",

    /* SQL routines: read only to be refused by name, but their errors count. */
    "function = FUNCTION functionDeclaration RETURNS type routineOption* (control | AS $dollar)",
    "functionDeclaration = name '(' (identifier? type (',' identifier? type)*)? ')'",
    "routineOption = LANGUAGE identifier | NOT? DETERMINISTIC | RETURNS NULL ON NULL INPUT | CALLED ON NULL INPUT"
    " | SECURITY (DEFINER | INVOKER) | COMMENT string | WITH properties",
    "control = RETURN value | SET identifier '=' expression"
    " | CASE expression controlWhen+ controlElse? END CASE | CASE controlWhen+ controlElse? END CASE"
    " | IF expression THEN controls (ELSEIF expression THEN controls)* controlElse? END IF"
    " | ITERATE identifier | LEAVE identifier"
    " | BEGIN (variable ';')* controls? END"
    " | (identifier ':')? LOOP controls END LOOP"
    " | (identifier ':')? WHILE expression DO controls END WHILE"
    " | (identifier ':')? REPEAT controls UNTIL expression END REPEAT",
    "controlWhen = WHEN expression THEN controls",
    "controlElse = ELSE controls",
    "variable = DECLARE identifier (',' identifier)* type (DEFAULT value)?",
    "controls = (control ';')+",

    "rootQueryWithSession = (WITH SESSION sessionProperty (',' sessionProperty)*)? rootQuery",
    "sessionProperty = name '=' expression",
    "rootQuery = (WITH function (',' function)*)? query",
    "query!<query> = with? queryNoWith",
    "with = WITH RECURSIVE? namedQuery (',' namedQuery)*",
    "namedQuery = identifier columns? AS '(' query ')'",
    "queryNoWith = queryTerm orderBy? (OFFSET rowCount (ROW | ROWS)?)?"
    " (LIMIT (ALL | rowCount) | FETCH (FIRST | NEXT) rowCount? (ROW | ROWS) (ONLY | WITH TIES))?",
    "rowCount = $integer | '?'",
    "orderBy = ORDER BY sortItem (',' sortItem)*",
    "sortItem = expression (ASC | DESC)? (NULLS (FIRST | LAST))?",
    "queryTerm = queryPrimary (<2> INTERSECT quantifier? corresponding? queryTerm{3}"
    " | <1> (UNION | EXCEPT) quantifier? corresponding? queryTerm{2})*",
    "corresponding = CORRESPONDING (BY columns)?",
    "quantifier = DISTINCT | ALL",
    "queryPrimary = select | TABLE name | VALUES expression (',' expression)* | '(' queryNoWith ')'",
    "select = SELECT quantifier? selectItem (',' selectItem)* (FROM relation (',' relation)*)? (WHERE boolean)?"
    " (GROUP BY groupBy)? (HAVING boolean)? (WINDOW windowDefinition (',' windowDefinition)*)?",
    "selectItem = expression (AS? identifier)? | primary '.' '*' (AS columns)? | '*'",
    "groupBy = quantifier? groupingElement (',' groupingElement)*",
    "groupingElement = groupingSet | AUTO | ROLLUP '(' (groupingSet (',' groupingSet)*)? ')'"
    " | CUBE '(' (groupingSet (',' groupingSet)*)? ')' | GROUPING SETS '(' groupingSet (',' groupingSet)* ')'",
    "groupingSet = '(' (expression (',' expression)*)? ')' | expression",
    "windowDefinition = identifier AS '(' window ')'",
    "window = identifier? (PARTITION BY expression (',' expression)*)? orderBy? frame?",
    "frame = (MEASURES measure (',' measure)*)? frameExtent (AFTER MATCH skipTo)? (INITIAL | SEEK)?"
    " (PATTERN '(' pattern ')')? (SUBSET subset (',' subset)*)? (DEFINE definition (',' definition)*)?",
    "frameExtent = (RANGE | ROWS | GROUPS) bound | (RANGE | ROWS | GROUPS) BETWEEN bound AND bound",
    "bound = UNBOUNDED PRECEDING | UNBOUNDED FOLLOWING | CURRENT ROW | expression (PRECEDING | FOLLOWING)",

    "relation = sampled (<2> (CROSS JOIN sampled | joinType JOIN relation joinCriteria"
    " | NATURAL joinType JOIN sampled))*",
    "joinType = INNER? | LEFT OUTER? | RIGHT OUTER? | FULL OUTER?",
    "joinCriteria = ON boolean | USING '(' identifier (',' identifier)* ')'",
    "sampled = matched (TABLESAMPLE (BERNOULLI | SYSTEM) '(' expression ')')?",
    "matched = aliased (MATCH_RECOGNIZE '(' (PARTITION BY expression (',' expression)*)? orderBy?"
    " (MEASURES measure (',' measure)*)? rowsPerMatch? (AFTER MATCH skipTo)? (INITIAL | SEEK)? PATTERN '(' pattern ')'"
    " (SUBSET subset (',' subset)*)? DEFINE definition (',' definition)* ')' (AS? identifier columns?)?)?",
    "measure = expression AS identifier",
    "rowsPerMatch = ONE ROW PER MATCH"
    " | ALL ROWS PER MATCH (SHOW EMPTY MATCHES | OMIT EMPTY MATCHES | WITH UNMATCHED ROWS)?",
    "skipTo = SKIP TO NEXT ROW | SKIP PAST LAST ROW | SKIP TO FIRST identifier | SKIP TO LAST identifier"
    " | SKIP TO identifier",
    "subset = identifier '=' '(' identifier (',' identifier)* ')'",
    "definition = identifier AS expression",
    "pattern = patternPrimary patternQuantifier? (<2> pattern{3} | <1> '|' pattern{2})*",
    "patternPrimary = identifier | '(' ')' | PERMUTE '(' pattern (',' pattern)* ')' | '(' pattern ')' | '^' | '$'"
    " | '{-' pattern '-}'",
    "patternQuantifier = ('*' | '+' | '?') '?'? | '{' $integer '}' '?'? | '{' $integer? ',' $integer? '}' '?'?",
    "aliased = relationPrimary (AS? identifier columns?)?",
    "relationPrimary = name (FOR (TIMESTAMP | VERSION) AS OF value)? | '(' query ')'"
    " | UNNEST '(' expression (',' expression)* ')' (WITH ORDINALITY)? | LATERAL '(' query ')'"
    " | TABLE '(' tableFunction ')' | '(' relation ')' | JSON_TABLE '(' jsonTable ')'",
    "tableFunction = name '(' (tableArgument (',' tableArgument)*)?"
    " (COPARTITION copartition (',' copartition)*)? ')'",
    "copartition = '(' name ',' name (',' name)* ')'",
    "tableArgument = (identifier '=>')? (tableInput | descriptor | expression)",
    "tableInput = TABLE '(' (name | query) ')' (AS? identifier columns?)?"
    " (PARTITION BY ('(' (expression (',' expression)*)? ')' | expression))? (PRUNE WHEN EMPTY | KEEP WHEN EMPTY)?"
    " (ORDER BY ('(' sortItem (',' sortItem)* ')' | sortItem))?",
    "descriptor = DESCRIPTOR '(' descriptorField (',' descriptorField)* ')' | CAST '(' NULL AS DESCRIPTOR ')'",
    "descriptorField = identifier type?",
    "jsonTable = jsonPath COLUMNS '(' jsonColumn (',' jsonColumn)* ')'"
    " (PLAN '(' jsonPlan ')' | PLAN DEFAULT '(' jsonDefaultPlan ')')? ((ERROR | EMPTY) ON ERROR)?",
    "jsonColumn = identifier FOR ORDINALITY"
    " | identifier type (PATH string)? (jsonValueElse ON EMPTY)? (jsonValueElse ON ERROR)?"
    " | identifier type FORMAT jsonRepresentation (PATH string)? jsonWrapper? jsonQuotes?"
    "   (jsonQueryElse ON EMPTY)? (jsonQueryElse ON ERROR)?"
    " | NESTED PATH? string (AS identifier)? COLUMNS '(' jsonColumn (',' jsonColumn)* ')'",
    "jsonPlan = identifier | identifier (OUTER | INNER) jsonPlanPart | jsonPlanPart UNION jsonPlanPart (UNION"
    " jsonPlanPart)* | jsonPlanPart CROSS jsonPlanPart (CROSS jsonPlanPart)*",
    "jsonPlanPart = identifier | '(' jsonPlan ')'",
    "jsonDefaultPlan = (OUTER | INNER) (',' (UNION | CROSS))? | (UNION | CROSS) (',' (OUTER | INNER))?",

    "expression!<expression> = boolean",
    "boolean!<expression> = (value predicate? | NOT boolean{3}) (<2> AND boolean{3} | <1> OR boolean{2})*",
    "predicate!<predicate> = comparison value | comparison (ALL | SOME | ANY) '(' query ')'"
    " | NOT? BETWEEN value AND value | NOT? IN '(' expression (',' expression)* ')' | NOT? IN '(' query ')'"
    " | NOT? LIKE value (ESCAPE value)? | IS NOT? NULL | IS NOT? DISTINCT FROM value",
    "comparison = '=' | '<>' | '<' | '<=' | '>' | '>='",
    "value!<expression> = (primary | ('+' | '-') value{4}) (<3> ('*' | '/' | '%') value{4} | <2> ('+' | '-') value{3}"
    " | <1> '||' value{2} | <5> AT TIME ZONE (interval | string))*",
    "primary!<expression> = (NULL | interval | identifier string | DOUBLE PRECISION string | number | TRUE | FALSE"
    " | string | $binary | '?'"
    " | POSITION '(' value IN value ')'"
    " | '(' expression (',' expression)+ ')' | ROW '(' expression (',' expression)* ')'"
    " | LISTAGG '(' quantifier? expression (',' string)? (ON OVERFLOW overflow)? ')'"
    "   WITHIN GROUP '(' orderBy ')' filter? over?"
    " | (RUNNING | FINAL)? name '(' (identifier '.')? '*' ')' filter? over?"
    " | (RUNNING | FINAL)? name '(' (quantifier? expression (',' expression)*)? orderBy? ')' filter?"
    "   ((IGNORE NULLS | RESPECT NULLS)? over)?"
    " | identifier over"
    " | identifier '->' expression | '(' (identifier (',' identifier)*)? ')' '->' expression"
    " | '(' query ')' | EXISTS '(' query ')'"
    " | CASE expression when+ (ELSE expression)? END | CASE when+ (ELSE expression)? END"
    " | CAST '(' expression AS type ')' | TRY_CAST '(' expression AS type ')'"
    " | ARRAY '[' (expression (',' expression)*)? ']' | '[' (expression (',' expression)*)? ']'"
    " | identifier"
    " | CURRENT_DATE | CURRENT_TIME precision? | CURRENT_TIMESTAMP precision? | LOCALTIME precision?"
    " | LOCALTIMESTAMP precision? | CURRENT_USER | CURRENT_CATALOG | CURRENT_SCHEMA | CURRENT_PATH"
    " | TRIM '(' ((LEADING | TRAILING | BOTH)? value? FROM)? value ')' | TRIM '(' value ',' value ')'"
    " | SUBSTRING '(' value FROM value (FOR value)? ')'"
    " | NORMALIZE '(' value (',' (NFD | NFC | NFKD | NFKC))? ')'"
    " | EXTRACT '(' identifier FROM value ')'"
    " | '(' expression ')'"
    " | GROUPING '(' (name (',' name)*)? ')'"
    " | JSON_EXISTS '(' jsonPath ((TRUE | FALSE | UNKNOWN | ERROR) ON ERROR)? ')'"
    " | JSON_VALUE '(' jsonPath (RETURNING type)? (jsonValueElse ON EMPTY)? (jsonValueElse ON ERROR)? ')'"
    " | JSON_QUERY '(' jsonPath jsonReturning? jsonWrapper? jsonQuotes? (jsonQueryElse ON EMPTY)?"
    "   (jsonQueryElse ON ERROR)? ')'"
    " | JSON_OBJECT '(' (jsonMember (',' jsonMember)* (NULL ON NULL | ABSENT ON NULL)?"
    "   (WITH UNIQUE KEYS? | WITHOUT UNIQUE KEYS?)?)? jsonReturning? ')'"
    " | JSON_ARRAY '(' (jsonValue (',' jsonValue)* (NULL ON NULL | ABSENT ON NULL)?)? jsonReturning? ')')"
    " (<24> '[' value ']' | <22> '.' identifier)*",
    "precision = '(' $integer ')'",
    "overflow = ERROR | TRUNCATE string? (WITH COUNT | WITHOUT COUNT)",
    "filter = FILTER '(' WHERE boolean ')'",
    "over = OVER (identifier | '(' window ')')",
    "when = WHEN expression THEN expression",
    "jsonPath = jsonValue ',' string (AS identifier)? (PASSING jsonArgument (',' jsonArgument)*)?",
    "jsonArgument = jsonValue AS identifier",
    "jsonValue = expression (FORMAT jsonRepresentation)?",
    "jsonRepresentation = JSON (ENCODING (UTF8 | UTF16 | UTF32))?",
    "jsonReturning = RETURNING type (FORMAT jsonRepresentation)?",
    "jsonWrapper = (WITHOUT ARRAY? | WITH (CONDITIONAL | UNCONDITIONAL)? ARRAY?) WRAPPER",
    "jsonQuotes = (KEEP | OMIT) QUOTES (ON SCALAR STRING)?",
    "jsonValueElse = ERROR | NULL | DEFAULT expression",
    "jsonQueryElse = ERROR | NULL | EMPTY ARRAY | EMPTY OBJECT",
    "jsonMember = KEY? expression VALUE jsonValue | expression ':' jsonValue",

    "interval = INTERVAL ('+' | '-')? string intervalField (TO intervalField)?",
    "intervalField = YEAR | MONTH | DAY | HOUR | MINUTE | SECOND",
    "type!<type> = (ROW '(' rowField (',' rowField)* ')' | INTERVAL intervalField (TO intervalField)?"
    " | TIMESTAMP ('(' typeParameter ')')? (WITHOUT TIME ZONE)? | TIMESTAMP ('(' typeParameter ')')? WITH TIME ZONE"
    " | TIME ('(' typeParameter ')')? (WITHOUT TIME ZONE)? | TIME ('(' typeParameter ')')? WITH TIME ZONE"
    " | DOUBLE PRECISION | ARRAY '<' type '>' | MAP '<' type ',' type '>'"
    " | identifier ('(' typeParameter (',' typeParameter)* ')')?) (<2> ARRAY ('[' $integer ']')?)*",
    "rowField = type | identifier type",
    "typeParameter = $integer | type",
    "number = '-'? $decimal | '-'? $double | '-'? $integer",
    "string!<string> = $string | $unicode (UESCAPE $string)?",
    "identifier!<identifier> = $identifier | $quoted | $open | $backquoted | $digits",
    "name = identifier ('.' identifier)*",
};

/* ---- the network ---- */

enum edge_kind {
    EDGE_EPSILON,
    EDGE_TOKEN,    /* value: enum token_kind */
    EDGE_OPEN,     /* any open keyword */
    EDGE_RULE,     /* value: a rule; strength: what it is called with */
    EDGE_STRENGTH, /* passable when the rule was called with less than `strength` */
};

struct edge {
    uint8_t kind, strength;
    uint16_t value, to;
};

struct state {
    struct edge *items;
    size_t n, cap;
};

struct rule {
    struct str name;
    const char *shown; /* <expression>; NULL: its content is shown */
    uint16_t start, end;
};

enum { RULE_MAX = ARRAY_LEN(grammar), STATE_MAX = 8192 };

static struct network {
    struct arena a;
    struct state states[STATE_MAX];
    size_t state_count;
    struct rule rules[RULE_MAX];
} network;

static pthread_once_t network_once = PTHREAD_ONCE_INIT;

static uint16_t add_state(void)
{
    if (network.state_count == STATE_MAX)
        abort(); /* the table above outgrew the bound below it */
    return (uint16_t)network.state_count++;
}

static void add_edge(uint16_t from, enum edge_kind kind, unsigned value, unsigned strength, uint16_t to)
{
    struct edge e = {.kind = (uint8_t)kind, .strength = (uint8_t)strength, .value = (uint16_t)value, .to = to};
    vec_push_in(&network.a, &network.states[from], e);
}

/* Reads the notation. */
struct reader {
    struct str s;
    size_t at;
};

static char reader_peek(struct reader *r)
{
    while (r->at < r->s.n && r->s.p[r->at] == ' ')
        r->at++;
    return r->at < r->s.n ? r->s.p[r->at] : '\0';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str reader_word(struct reader *r)
{
    size_t from = r->at;
    while (r->at < r->s.n && is_word(r->s.p[r->at]))
        r->at++;
    return str_slice(r->s, from, r->at - from);
}

static unsigned reader_number(struct reader *r)
{
    unsigned n = 0;
    while (r->at < r->s.n && r->s.p[r->at] >= '0' && r->s.p[r->at] <= '9')
        n = n * 10 + (unsigned)(r->s.p[r->at++] - '0');
    r->at++; /* the bracket */
    return n;
}

static unsigned find_rule(struct str name)
{
    for (unsigned i = 0; i < RULE_MAX; i++)
        if (str_eq(network.rules[i].name, name))
            return i;
    abort(); /* a misspelt name in the table: the first syntax error of the first test finds it */
}

static unsigned find_symbol(struct str text)
{
    char quoted[8];
    snprintf(quoted, sizeof(quoted), "'%.*s'", STR_ARG(text));
    if (str_eq(text, STR("<>")))
        return TOK_NEQ;
    for (unsigned kind = TOK_EQ; kind <= TOK_RBRACE; kind++)
        if (strcmp(token_kind_name((enum token_kind)kind), quoted) == 0)
            return kind;
    abort();
}

static const struct {
    const char *name;
    enum token_kind kind;
} classes[] = {
    {"end", TOK_EOF},
    {"integer", TOK_INTEGER},
    {"decimal", TOK_DECIMAL},
    {"double", TOK_DOUBLE},
    {"string", TOK_STRING},
    {"unicode", TOK_UNICODE_STRING},
    {"dollar", TOK_DOLLAR_STRING},
    {"binary", TOK_BINARY},
    {"identifier", TOK_IDENTIFIER},
    {"quoted", TOK_QUOTED_IDENTIFIER},
    {"digits", TOK_DIGIT_IDENTIFIER},
    {"backquoted", TOK_BACKQUOTED_IDENTIFIER},
};

static void compile_alternatives(struct reader *r, uint16_t from, uint16_t to);

/* One element from `from`; returns where it ends. */
static uint16_t compile_atom(struct reader *r, uint16_t from)
{
    uint16_t to = add_state();
    char c = reader_peek(r);
    if (c == '(') {
        r->at++;
        compile_alternatives(r, from, to);
        reader_peek(r);
        r->at++;
    } else if (c == '\'') {
        size_t close = str_find_char(r->s, '\'', r->at + 1);
        add_edge(from, EDGE_TOKEN, find_symbol(str_slice(r->s, r->at + 1, close - r->at - 1)), 0, to);
        r->at = close + 1;
    } else if (c == '<') {
        r->at++;
        add_edge(from, EDGE_STRENGTH, 0, reader_number(r), to);
    } else if (c == '$') {
        r->at++;
        struct str name = reader_word(r);
        if (str_eq(name, STR("open"))) {
            add_edge(from, EDGE_OPEN, 0, 0, to);
            return to;
        }
        size_t i = 0;
        while (!str_eq_cstr(name, classes[i].name))
            i++;
        add_edge(from, EDGE_TOKEN, classes[i].kind, 0, to);
    } else {
        struct str word = reader_word(r);
        if (c >= 'A' && c <= 'Z') {
            enum token_kind kind = keyword_find(word);
            if (kind == TOK_IDENTIFIER)
                abort();
            add_edge(from, EDGE_TOKEN, kind, 0, to);
            return to;
        }
        unsigned strength = 0;
        if (r->at < r->s.n && r->s.p[r->at] == '{') {
            r->at++;
            strength = reader_number(r);
        }
        add_edge(from, EDGE_RULE, find_rule(word), strength, to);
    }
    return to;
}

static uint16_t compile_sequence(struct reader *r, uint16_t from)
{
    for (;;) {
        char c = reader_peek(r);
        if (c == '\0' || c == '|' || c == ')')
            return from;
        uint16_t start = add_state();
        uint16_t end = compile_atom(r, start);
        uint16_t after = add_state();
        c = reader_peek(r);
        add_edge(from, EDGE_EPSILON, 0, 0, start);
        if (c == '?' || c == '*')
            add_edge(from, EDGE_EPSILON, 0, 0, after);
        if (c == '*' || c == '+')
            add_edge(end, EDGE_EPSILON, 0, 0, start);
        add_edge(end, EDGE_EPSILON, 0, 0, after);
        if (c == '?' || c == '*' || c == '+')
            r->at++;
        from = after;
    }
}

static void compile_alternatives(struct reader *r, uint16_t from, uint16_t to)
{
    do {
        uint16_t start = add_state();
        add_edge(from, EDGE_EPSILON, 0, 0, start);
        add_edge(compile_sequence(r, start), EDGE_EPSILON, 0, 0, to);
    } while (reader_peek(r) == '|' && r->at++);
}

static void compile_network(void)
{
    struct reader readers[RULE_MAX];
    for (size_t i = 0; i < RULE_MAX; i++) {
        struct reader *r = &readers[i];
        struct rule *rule = &network.rules[i];
        *r = (struct reader){.s = str_from_cstr(grammar[i])};
        rule->name = reader_word(r);
        if (reader_peek(r) == '!') {
            size_t close = str_find_char(r->s, '>', r->at);
            rule->shown = arena_cstr(&network.a, str_slice(r->s, r->at + 1, close - r->at));
            r->at = close + 1;
        }
        reader_peek(r);
        r->at++; /* = */
        rule->start = add_state();
        rule->end = add_state();
    }
    for (size_t i = 0; i < RULE_MAX; i++)
        compile_alternatives(&readers[i], network.rules[i].start, network.rules[i].end);
}

/* ---- the walk ---- */

enum { WALK_STEPS_MAX = 4 << 20, WALK_DEPTH_MAX = 8000, WALK_MEMORY_MAX = 96 << 20 };

/* The tokens at which a rule that starts at one token can end. */
struct ends {
    uint32_t *items;
    size_t n, cap;
};

struct memo {
    uint64_t key; /* state and token, plus one; 0: free */
    struct ends ends;
};

struct point {
    uint16_t state;
    bool quiet;
    uint32_t token;
};

struct walk {
    struct arena a;
    const struct tokens *t;
    struct memo *memo;
    size_t memo_n, memo_cap;
    size_t steps;
    int depth;
    bool gave_up;
    size_t furthest;
    bool wanted[TOKEN_KINDS];
    bool wanted_rule[RULE_MAX];
};

static void walk_want(struct walk *w, size_t token, int kind, int rule)
{
    if (token < w->furthest)
        return;
    if (token > w->furthest) {
        w->furthest = token;
        memset(w->wanted, 0, sizeof(w->wanted));
        memset(w->wanted_rule, 0, sizeof(w->wanted_rule));
    }
    if (kind >= 0)
        w->wanted[kind] = true;
    else
        w->wanted_rule[rule] = true;
}

static size_t memo_slot(const struct memo *table, size_t cap, uint64_t key)
{
    size_t i = (size_t)(key * 0x9E3779B97F4A7C15u >> 20) & (cap - 1);
    while (table[i].key && table[i].key != key)
        i = (i + 1) & (cap - 1);
    return i;
}

static void memo_put(struct walk *w, uint64_t key, struct ends ends)
{
    if ((w->memo_n + 1) * 2 > w->memo_cap) {
        size_t cap = w->memo_cap ? w->memo_cap * 2 : 1024;
        struct memo *table = arena_array(&w->a, struct memo, cap);
        for (size_t i = 0; i < w->memo_cap; i++)
            if (w->memo[i].key)
                table[memo_slot(table, cap, w->memo[i].key)] = w->memo[i];
        w->memo = table;
        w->memo_cap = cap;
    }
    struct memo *m = &w->memo[memo_slot(w->memo, w->memo_cap, key)];
    w->memo_n += m->key == 0;
    m->key = key;
    m->ends = ends;
}

static void ends_add(struct walk *w, struct ends *ends, uint32_t token)
{
    for (size_t i = 0; i < ends->n; i++)
        if (ends->items[i] == token)
            return;
    vec_push_in(&w->a, ends, token);
}

static bool edge_takes(const struct edge *e, enum token_kind kind)
{
    return e->kind == EDGE_OPEN ? keyword_is_open(kind) : e->value == kind;
}

/* Where the rule can end that starts at this token. `quiet`: a name was shown for this token already. */
static struct ends walk_rule(struct walk *w, unsigned rule_index, uint32_t token, bool quiet, unsigned strength)
{
    const struct rule *rule = &network.rules[rule_index];
    uint64_t key = ((uint64_t)rule->start << 32 | token) + 1;
    struct ends ends = {0};
    if (w->memo_cap) {
        const struct memo *m = &w->memo[memo_slot(w->memo, w->memo_cap, key)];
        if (m->key)
            return m->ends;
    }
    if (w->gave_up || ++w->depth > WALK_DEPTH_MAX) {
        w->gave_up = true;
        return ends;
    }
    if (rule->shown) {
        if (!quiet)
            walk_want(w, token, -1, (int)rule_index);
        quiet = true;
    }
    struct {
        struct point *items;
        size_t n, cap;
    } todo = {0};
    struct point start = {.state = rule->start, .quiet = quiet, .token = token};
    vec_push_in(&w->a, &todo, start);
    while (todo.n > 0 && !w->gave_up) {
        struct point at = todo.items[--todo.n];
        if (++w->steps > WALK_STEPS_MAX || w->a.used > WALK_MEMORY_MAX) {
            w->gave_up = true;
            break;
        }
        if (at.state == rule->end) {
            ends_add(w, &ends, at.token);
            continue;
        }
        const struct state *state = &network.states[at.state];
        for (size_t i = 0; i < state->n; i++) {
            const struct edge *e = &state->items[i];
            struct point next = {.state = e->to, .quiet = at.quiet, .token = at.token};
            switch ((enum edge_kind)e->kind) {
            case EDGE_EPSILON:
                vec_push_in(&w->a, &todo, next);
                break;
            case EDGE_STRENGTH:
                if (strength < e->strength)
                    vec_push_in(&w->a, &todo, next);
                break;
            case EDGE_RULE: {
                struct ends inner = walk_rule(w, e->value, at.token, at.quiet, e->strength);
                next.quiet = false;
                for (size_t k = 0; k < inner.n; k++) {
                    next.token = inner.items[k];
                    vec_push_in(&w->a, &todo, next);
                }
                break;
            }
            case EDGE_TOKEN:
            case EDGE_OPEN:
                if (edge_takes(e, (enum token_kind)w->t->items[at.token].kind) && at.token + 1 < w->t->n) {
                    next.token++;
                    next.quiet = false;
                    vec_push_in(&w->a, &todo, next);
                } else if (!at.quiet) {
                    if (e->kind == EDGE_TOKEN)
                        walk_want(w, at.token, e->value, -1);
                }
                break;
            }
        }
    }
    w->depth--;
    memo_put(w, key, ends);
    return ends;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct str list_wanted(struct arena *a, const struct walk *w)
{
    const char *names[TOKEN_KINDS + RULE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < TOKEN_KINDS; i++)
        if (w->wanted[i])
            names[n++] = token_kind_name((enum token_kind)i);
    for (size_t i = 0; i < RULE_MAX; i++)
        if (w->wanted_rule[i])
            names[n++] = network.rules[i].shown;
    qsort(names, n, sizeof(names[0]), compare_names);
    struct buf list;
    buf_init(&list, 16 << 10);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        if (i > 0)
            buf_add_cstr(&list, ", ");
        buf_add_cstr(&list, names[i]);
    }
    struct str result = arena_str(a, buf_str(&list));
    buf_release(&list);
    return result;
}

bool parse_explain(struct arena *a, const struct tokens *t, enum parse_start start, size_t *ret_token,
                   struct str *ret_expected)
{
    pthread_once(&network_once, compile_network);
    struct walk w = {.t = t};
    unsigned rule = start == PARSE_STATEMENT ? 0 : start == PARSE_EXPRESSION ? 1 : 2;
    walk_rule(&w, rule, 0, false, 0);
    bool found = !w.gave_up;
    if (found) {
        *ret_token = w.furthest;
        *ret_expected = list_wanted(a, &w);
    }
    arena_release(&w.a);
    return found;
}
