/*
 * The text that comments are cut out of: 300 MiB by the grammar of the TPC-H specification, clause 4.2.2.14, always the
 * same. It is a file, mapped while tables are generated.
 */
#include "base/vec.h"
#include "engine/dbgen_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TEXT_SEED = 933588178, MAX_SENTENCE = 256 };

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

/* A word with the space behind it, of a size that is copied at once. */
struct entry {
    char text[16];
    unsigned n;
};

/* A distribution laid out by weight, so that a draw is an index. */
struct distribution {
    struct entry *entries;
    int n;
};

struct writer {
    char *at;
    int64_t seed;
    struct distribution nouns, verbs, adverbs, prepositions, auxiliaries, terminators, adjectives, sentences,
        noun_phrases, verb_phrases;
};

static struct distribution lay_out(const struct word *words, size_t n)
{
    struct distribution d = {0};

    for (size_t i = 0; i < n; i++)
        d.n += words[i].weight;
    d.entries = calloc((size_t)d.n, sizeof(*d.entries));
    if (!d.entries)
        abort();
    for (size_t i = 0, at = 0; i < n; i++) {
        for (int k = 0; k < words[i].weight; k++, at++)
            d.entries[at].n = (unsigned)snprintf(d.entries[at].text, sizeof(d.entries[at].text), "%s ", words[i].text);
    }
    return d;
}

static const struct entry *pick(struct writer *w, const struct distribution *d)
{
    return &d->entries[dbgen_draw(&w->seed, 0, d->n - 1)];
}

static void add_word(struct writer *w, const struct distribution *d)
{
    const struct entry *e = pick(w, d);

    memcpy(w->at, e->text, sizeof(e->text));
    w->at += e->n;
}

static void add_verb_phrase(struct writer *w)
{
    for (const char *c = pick(w, &w->verb_phrases)->text; *c; c++) {
        if (*c != ' ')
            add_word(w, *c == 'D' ? &w->adverbs : *c == 'V' ? &w->verbs : &w->auxiliaries);
    }
}

static void add_noun_phrase(struct writer *w)
{
    for (const char *c = pick(w, &w->noun_phrases)->text; *c; c++) {
        if (*c == ',') {
            memcpy(w->at - 1, ", ", 2);
            w->at++;
        } else if (*c != ' ') {
            add_word(w, *c == 'J' ? &w->adjectives : *c == 'D' ? &w->adverbs : &w->nouns);
        }
    }
}

static void add_sentence(struct writer *w)
{
    for (const char *c = pick(w, &w->sentences)->text; *c; c++) {
        switch (*c) {
        case 'V':
            add_verb_phrase(w);
            break;
        case 'N':
            add_noun_phrase(w);
            break;
        case 'P':
            add_word(w, &w->prepositions);
            memcpy(w->at, "the ", 4);
            w->at += 4;
            add_noun_phrase(w);
            break;
        case 'T':
            w->at--;
            add_word(w, &w->terminators);
            break;
        default:
            break;
        }
    }
}

static void write_text(char *text)
{
#define LAY_OUT(NAME) .NAME = lay_out(NAME, ARRAY_LEN(NAME))
    struct writer w = {.at = text,
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

    while (w.at < text + DBGEN_TEXT_SIZE)
        add_sentence(&w);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        free(all[i]->entries);
}

/* ---- the text while it is used ---- */

static struct {
    pthread_mutex_t lock; /* guards what follows; `text` is read without it between open and close */
    int users;
    char *text, *path;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const size_t mapped = (size_t)DBGEN_TEXT_SIZE + MAX_SENTENCE;

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

const char *dbgen_text(void)
{
    return shared.text;
}
