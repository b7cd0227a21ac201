/*
 * The grammar of the TPC-H specification, clause 4.2.2.14, and the cutting of comments. All numbers come from one generator,
 * seed * 16807 mod (2^31 - 1), whose seeds are dbgen's.
 */
#include "engine/dbgen.h"
#include "base/vec.h"
#include "engine/shim.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FACTOR = 16807,
    MODULUS = 2147483647,
    TEXT_SEED = 933588178,
    TEXT_SIZE = 300 << 20,
    MAX_SENTENCE = 256,
};

struct word {
    const char *text;
    int weight;
};

/* clang-format off */
static const struct word nouns[] = {
    {"packages", 40}, {"requests", 40}, {"accounts", 40}, {"deposits", 40}, {"foxes", 20}, {"ideas", 20},
    {"theodolites", 20}, {"pinto beans", 20}, {"instructions", 20}, {"dependencies", 10}, {"excuses", 10},
    {"platelets", 10}, {"asymptotes", 10}, {"courts", 5}, {"dolphins", 5}, {"multipliers", 1}, {"sauternes", 1},
    {"warthogs", 1}, {"frets", 1}, {"dinos", 1}, {"attainments", 1}, {"somas", 1}, {"Tiresias", 1},
    {"patterns", 1}, {"forges", 1}, {"braids", 1}, {"frays", 1}, {"warhorses", 1}, {"dugouts", 1}, {"notornis", 1},
    {"epitaphs", 1}, {"pearls", 1}, {"tithes", 1}, {"waters", 1}, {"orbits", 1}, {"gifts", 1}, {"sheaves", 1},
    {"depths", 1}, {"sentiments", 1}, {"decoys", 1}, {"realms", 1}, {"pains", 1}, {"grouches", 1},
    {"escapades", 1}, {"hockey players", 1},
};
static const struct word verbs[] = {
    {"sleep", 20}, {"wake", 20}, {"are", 20}, {"cajole", 20}, {"haggle", 20}, {"nag", 10}, {"use", 10},
    {"boost", 10}, {"affix", 5}, {"detect", 5}, {"integrate", 5}, {"maintain", 1}, {"nod", 1}, {"was", 1},
    {"lose", 1}, {"sublate", 1}, {"solve", 1}, {"thrash", 1}, {"promise", 1}, {"engage", 1}, {"hinder", 1},
    {"print", 1}, {"x-ray", 1}, {"breach", 1}, {"eat", 1}, {"grow", 1}, {"impress", 1}, {"mold", 1}, {"poach", 1},
    {"serve", 1}, {"run", 1}, {"dazzle", 1}, {"snooze", 1}, {"doze", 1}, {"unwind", 1}, {"kindle", 1}, {"play", 1},
    {"hang", 1}, {"believe", 1}, {"doubt", 1},
};
static const struct word adverbs[] = {
    {"sometimes", 1}, {"always", 1}, {"never", 1}, {"furiously", 50}, {"slyly", 50}, {"carefully", 50},
    {"blithely", 40}, {"quickly", 30}, {"fluffily", 20}, {"slowly", 1}, {"quietly", 1}, {"ruthlessly", 1},
    {"thinly", 1}, {"closely", 1}, {"doggedly", 1}, {"daringly", 1}, {"bravely", 1}, {"stealthily", 1},
    {"permanently", 1}, {"enticingly", 1}, {"idly", 1}, {"busily", 1}, {"regularly", 1}, {"finally", 1},
    {"ironically", 1}, {"evenly", 1}, {"boldly", 1}, {"silently", 1},
};
static const struct word prepositions[] = {
    {"about", 50}, {"above", 50}, {"according to", 50}, {"across", 50}, {"after", 50}, {"against", 40},
    {"along", 40}, {"alongside of", 30}, {"among", 30}, {"around", 20}, {"at", 10}, {"atop", 1}, {"before", 1},
    {"behind", 1}, {"beneath", 1}, {"beside", 1}, {"besides", 1}, {"between", 1}, {"beyond", 1}, {"by", 1},
    {"despite", 1}, {"during", 1}, {"except", 1}, {"for", 1}, {"from", 1}, {"in place of", 1}, {"inside", 1},
    {"instead of", 1}, {"into", 1}, {"near", 1}, {"of", 1}, {"on", 1}, {"outside", 1}, {"over", 1}, {"past", 1},
    {"since", 1}, {"through", 1}, {"throughout", 1}, {"to", 1}, {"toward", 1}, {"under", 1}, {"until", 1},
    {"up", 1}, {"upon", 1}, {"whithout", 1}, {"with", 1}, {"within", 1},
};
static const struct word auxiliaries[] = {
    {"do", 1}, {"may", 1}, {"might", 1}, {"shall", 1}, {"will", 1}, {"would", 1}, {"can", 1}, {"could", 1},
    {"should", 1}, {"ought to", 1}, {"must", 1}, {"will have to", 1}, {"shall have to", 1}, {"could have to", 1},
    {"should have to", 1}, {"must have to", 1}, {"need to", 1}, {"try to", 1},
};
static const struct word terminators[] = {
    {".", 50}, {";", 1}, {":", 1}, {"?", 1}, {"!", 1}, {"--", 1},
};
static const struct word adjectives[] = {
    {"special", 20}, {"pending", 20}, {"unusual", 20}, {"express", 20}, {"furious", 1}, {"sly", 1}, {"careful", 1},
    {"blithe", 1}, {"quick", 1}, {"fluffy", 1}, {"slow", 1}, {"quiet", 1}, {"ruthless", 1}, {"thin", 1},
    {"close", 1}, {"dogged", 1}, {"daring", 1}, {"brave", 1}, {"stealthy", 1}, {"permanent", 1}, {"enticing", 1},
    {"idle", 1}, {"busy", 1}, {"regular", 50}, {"final", 40}, {"ironic", 40}, {"even", 30}, {"bold", 20},
    {"silent", 10},
};
static const struct word sentences[] = {
    {"N V T", 3}, {"N V P T", 3}, {"N V N T", 3}, {"N P V N T", 1}, {"N P V P T", 1},
};
static const struct word noun_phrases[] = {
    {"N", 10}, {"J N", 20}, {"J, J N", 10}, {"D J N", 50},
};
static const struct word verb_phrases[] = {
    {"V", 30}, {"X V", 1}, {"V D", 40}, {"X V D", 1},
};
/* clang-format on */

/* A distribution laid out by weight, so that a draw is an index. */
struct distribution {
    const char **words;
    int n;
};

struct writer {
    char *text;
    size_t n;
    int64_t seed;
    struct distribution nouns, verbs, adverbs, prepositions, auxiliaries, terminators, adjectives, sentences,
        noun_phrases, verb_phrases;
};

static int64_t draw(int64_t *seed, int64_t low, int64_t high)
{
    *seed = *seed * FACTOR % MODULUS;
    return low + (int64_t)(1.0 * (double)*seed / MODULUS * (double)(high - low + 1));
}

static struct distribution lay_out(const struct word *words, size_t n)
{
    struct distribution d = {0};

    for (size_t i = 0; i < n; i++)
        d.n += words[i].weight;
    d.words = calloc((size_t)d.n, sizeof(*d.words));
    if (!d.words)
        abort();
    for (size_t i = 0, at = 0; i < n; i++) {
        for (int k = 0; k < words[i].weight; k++)
            d.words[at++] = words[i].text;
    }
    return d;
}

static const char *pick(struct writer *w, const struct distribution *d)
{
    return d->words[draw(&w->seed, 0, d->n - 1)];
}

static void add(struct writer *w, const char *text)
{
    size_t n = strlen(text);

    memcpy(w->text + w->n, text, n);
    w->n += n;
}

static void add_word(struct writer *w, const struct distribution *d)
{
    add(w, pick(w, d));
    add(w, " ");
}

static void add_verb_phrase(struct writer *w)
{
    for (const char *c = pick(w, &w->verb_phrases); *c; c++) {
        if (*c != ' ')
            add_word(w, *c == 'D' ? &w->adverbs : *c == 'V' ? &w->verbs : &w->auxiliaries);
    }
}

static void add_noun_phrase(struct writer *w)
{
    for (const char *c = pick(w, &w->noun_phrases); *c; c++) {
        if (*c == ',') {
            w->n--;
            add(w, ", ");
        } else if (*c != ' ') {
            add_word(w, *c == 'J' ? &w->adjectives : *c == 'D' ? &w->adverbs : &w->nouns);
        }
    }
}

static void add_sentence(struct writer *w)
{
    for (const char *c = pick(w, &w->sentences); *c; c++) {
        switch (*c) {
        case 'V':
            add_verb_phrase(w);
            break;
        case 'N':
            add_noun_phrase(w);
            break;
        case 'P':
            add(w, pick(w, &w->prepositions));
            add(w, " the ");
            add_noun_phrase(w);
            break;
        case 'T':
            w->n--;
            add(w, pick(w, &w->terminators));
            break;
        default:
            continue;
        }
        if (w->text[w->n - 1] != ' ')
            add(w, " ");
    }
}

static void write_text(char *text)
{
#define LAY_OUT(NAME) .NAME = lay_out(NAME, ARRAY_LEN(NAME))
    struct writer w = {.text = text,
                       .seed = TEXT_SEED,
                       LAY_OUT(nouns),
                       LAY_OUT(verbs),
                       LAY_OUT(adverbs),
                       LAY_OUT(prepositions),
                       LAY_OUT(auxiliaries),
                       LAY_OUT(terminators),
                       LAY_OUT(adjectives),
                       LAY_OUT(sentences),
                       LAY_OUT(noun_phrases),
                       LAY_OUT(verb_phrases)};
    const struct distribution *all[] = {&w.nouns,       &w.verbs,      &w.adverbs,   &w.prepositions, &w.auxiliaries,
                                        &w.terminators, &w.adjectives, &w.sentences, &w.noun_phrases, &w.verb_phrases};

    while (w.n < TEXT_SIZE)
        add_sentence(&w);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        free(all[i]->words);
}

/* ---- the text while it is used ---- */

static struct {
    pthread_mutex_t lock; /* guards what follows; `text` is read without it between open and close */
    int users;
    char *text, *path;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const size_t mapped = (size_t)TEXT_SIZE + MAX_SENTENCE;

static int make(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void *text;
    int failed;

    if (fd < 0)
        return err_set_errno(err, errno, "can't make %s", path);
    /* Allocated now: a full disk is an error here, and a signal at a write into the mapping. */
    failed = posix_fallocate(fd, 0, (off_t)mapped);
    text = failed ? MAP_FAILED : mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (text == MAP_FAILED) {
        int rc = err_set_errno(err, failed ? failed : errno, "can't make %s", path);

        close(fd);
        unlink(path);
        return rc;
    }
    close(fd);
    write_text(text);
    shared.text = text;
    shared.path = strdup(path);
    if (!shared.path)
        abort();
    return 0;
}

int dbgen_text_open(const char *path, struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&shared.lock);
    if (shared.users == 0)
        rc = make(path, err);
    if (rc == 0)
        shared.users++;
    pthread_mutex_unlock(&shared.lock);
    return rc;
}

void dbgen_text_close(void)
{
    pthread_mutex_lock(&shared.lock);
    if (--shared.users == 0) {
        munmap(shared.text, mapped);
        unlink(shared.path);
        free(shared.path);
        shared.text = shared.path = NULL;
    }
    pthread_mutex_unlock(&shared.lock);
}

/* ---- comments ---- */

/* The seed after `count` more draws. */
static int64_t advance(int64_t seed, int64_t count)
{
    for (int64_t factor = FACTOR; count > 0; count /= 2) {
        if (count % 2 != 0)
            seed = seed * factor % MODULUS;
        factor = factor * factor % MODULUS;
    }
    return seed;
}

static struct str cut(int64_t seed, int64_t skipped, int64_t average)
{
    int64_t least = (int64_t)((double)average * 0.4), most = (int64_t)((double)average * 1.6), at;

    seed = advance(seed, skipped);
    at = draw(&seed, 0, TEXT_SIZE - most);
    return str_from(shared.text + at, (size_t)draw(&seed, least, most));
}

static bool check_open(struct shim_call *c)
{
    if (!shared.text)
        shim_fail(c, "GENERIC_INTERNAL_ERROR", "dbgen's text isn't open");
    return shared.text != NULL;
}

static void comment(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    if (!check_open(&c))
        return;
    for (SHIM_ROWS(&c, row))
        shim_put_str(&c, row,
                     cut(SHIM_ARG(&c, int64_t, 0, row), SHIM_ARG(&c, int64_t, 1, row), SHIM_ARG(&c, int64_t, 2, row)));
}

/* Ten suppliers in 10000 have "Customer … Complaints" or "Customer … Recommends" written over their comment. */
static void supplier_comment(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    static const int64_t comment_seed = 1341315363, chosen_seed = 202794285, noise_seed = 263032577,
                         offset_seed = 715851524, kind_seed = 753643799;
    struct shim_call c;

    shim_begin(&c, info, in, out);
    if (!check_open(&c))
        return;
    for (SHIM_ROWS(&c, row)) {
        int64_t before = SHIM_ARG(&c, int64_t, 0, row) - 1;
        int64_t chosen = advance(chosen_seed, before), noise = advance(noise_seed, before);
        int64_t offset = advance(offset_seed, before), kind = advance(kind_seed, before);
        struct str text = cut(comment_seed, before * 2, 63);
        char copy[128];

        if (draw(&chosen, 1, 10000) > 10) {
            shim_put_str(&c, row, text);
            continue;
        }
        memcpy(copy, text.p, text.n);
        noise = draw(&noise, 0, (int64_t)text.n - 19);
        offset = draw(&offset, 0, (int64_t)text.n - 19 - noise);
        memcpy(copy + offset, "Customer ", 9);
        memcpy(copy + 9 + offset + noise, draw(&kind, 0, 100) < 50 ? "Complaints" : "Recommends", 10);
        shim_put_str(&c, row, str_from(copy, text.n));
    }
}

const struct shim shims_dbgen[] = {
    SHIM("dp_dbgen_comment", "lll", 'v', comment),
    SHIM("dp_dbgen_supplier_comment", "l", 'v', supplier_comment),
};
const size_t shims_dbgen_count = ARRAY_LEN(shims_dbgen);
