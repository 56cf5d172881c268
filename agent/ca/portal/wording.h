/* wording.h: words of a page compared as a person compares them: blanks, stars at the ends, a final colon, full-width forms and the case of ASCII
 * do not matter. Pure. */
#ifndef DCV_CA_PORTAL_WORDING_H
#define DCV_CA_PORTAL_WORDING_H

#include <stdbool.h>
#include <stddef.h>

char *word_collapse(const char *text, size_t n); /* as a browser shows it: blanks of every kind made one, none at the ends; the caller frees */
char *word_fold(const char *text);               /* for comparisons; the caller frees */

/* How well a text that is shown answers to a label, both folded. */
enum word_match {
    WORD_OTHER,
    WORD_HINTED, /* the label and a hint: "reference no. (nine digits)", "PIN: as printed" */
    WORD_SAME
};
enum word_match word_match(const char *label, const char *shown);

/* "A | B" cut at "|": calls fn with each, folded, until it says true. */
bool word_any(const char *texts, bool (*fn)(void *arg, const char *folded), void *arg);

#endif
