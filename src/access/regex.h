/*
 * Java's regular expressions as rules and user mappings use them: the whole text has to match, and `$1` in a replacement
 * names a group. PCRE2 runs them; the parts of the two languages that look alike but mean different things are refused
 * when the pattern is read, so that a rule never means less or more here than in Trino.
 *
 * Compiled patterns are immutable and shared by threads. A match is bounded in steps and memory: a pattern that
 * backtracks without end is an error, which callers take for "denied".
 */
#ifndef ACCESS_REGEX_H
#define ACCESS_REGEX_H

#include "base/arena.h"

struct access_regex;

enum { ACCESS_REGEX_MAX = 16 << 10 /* bytes of a pattern, and of a replacement's result */ };

/* ERR_INVALID with what is wrong and where in the pattern; ERR_UNSUPPORTED names a construct of Java's that isn't here. */
MUST_CHECK int access_regex_new(struct str pattern, struct access_regex **ret, struct err *err);
void access_regex_free(struct access_regex *r);

/* Matcher.matches(): 1, 0, or ERR_LIMIT. */
int access_regex_matches(const struct access_regex *r, struct str text);

/* Matcher.appendReplacement() after matches(): 1 and the replacement with its groups filled in, 0 when the text does not
 * match, or an error: ERR_LIMIT, ERR_INVALID for a group that does not exist. `quote` puts what groups took as \Q…\E, for
 * replacements that are patterns themselves. */
int access_regex_replace(const struct access_regex *r, struct arena *a, struct str text, struct str replacement,
                         bool quote, struct str *ret, struct err *err);
/* Matcher.replaceAll(): every match in the text replaced. */
MUST_CHECK int access_regex_replace_all(const struct access_regex *r, struct arena *a, struct str text,
                                        struct str replacement, struct str *ret, struct err *err);
/* The number of groups. */
size_t access_regex_groups(const struct access_regex *r);

#endif
