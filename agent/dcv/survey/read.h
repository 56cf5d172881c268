/* read.h: answers turned into facts of a survey. Pure; the answers are hostile. */
#ifndef DCV_DCV_SURVEY_READ_H
#define DCV_DCV_SURVEY_READ_H

#include "dcv/survey/survey.h"
#include "net/dnsx.h"

/* How a question went: of an answer, or of the error that there was none. `type` at `name` makes it an answer of the zone. */
struct survey_answer read_answer(const struct dns_ask *ask, const struct err *e);

/* Longest-lasting signature over the set of this type at this name. */
struct survey_span read_span(const struct dns_reply *r, const char *name, uint16_t type, int64_t now);

bool read_soa(const struct dns_reply *r, const char *name, char mname[254], uint32_t *serial);
void read_ns(const struct dns_reply *r, const char *name, uint8_t section, struct strs *out); /* sorted */
void read_glue(const struct dns_reply *r, const struct strs *ns, struct endpoints *out);
size_t read_keys(const struct dns_reply *r, const char *name, uint16_t type, struct survey_key out[SURVEY_KEYS]); /* DNSKEYs of zones, or DSs */

#endif
