#include "net/tls_smtp.h"

#include <string.h>
#include <strings.h>

enum { OCTETS_MAX = 16384 };

/* The last line of a reply: "250 ...", after any number of "250-...". */
static enum smtp_next reply(struct tls_smtp *s, const char **say, const char **why)
{
    static const char *const said[] = {"EHLO localhost\r\n", "STARTTLS\r\n"};
    static const char *const wanted[] = {"220", "250", "220"};
    static const char *const no[] = {"the mail server does not greet", "the mail server refuses EHLO", "the mail server refuses STARTTLS"};
    int at = s->step++;
    if (strncmp(s->line, wanted[at], 3) != 0 || (at == 1 && !s->offered)) {
        *why = at == 1 && s->line[0] == '2' ? "the mail server does not offer STARTTLS" : no[at];
        return SMTP_NO;
    }
    if (at == 2)
        return SMTP_TLS;
    *say = said[at];
    return SMTP_SAY;
}

enum smtp_next tls_smtp_take(struct tls_smtp *s, const char *p, size_t n, const char **say, const char **why)
{
    for (size_t i = 0; i < n; i++) {
        if (++s->octets > OCTETS_MAX || s->step > 2) {
            *why = s->step > 2 ? "the mail server speaks before TLS begins" : "the mail server talks without end";
            return SMTP_NO;
        }
        if (p[i] != '\n') {
            if (s->n + 1 < sizeof s->line)
                s->line[s->n++] = p[i];
            continue;
        }
        s->line[s->n] = '\0';
        bool more = s->n > 3 && strspn(s->line, "0123456789") == 3 && s->line[3] == '-';
        s->offered |= s->step == 1 && s->n >= 12 && strncasecmp(s->line + 4, "STARTTLS", 8) == 0;
        s->n = 0;
        if (more)
            continue;
        enum smtp_next next = reply(s, say, why);
        if (next != SMTP_NO && i + 1 < n) { /* nobody may slip words in before TLS protects them */
            *why = "the mail server speaks out of turn";
            return SMTP_NO;
        }
        return next;
    }
    return SMTP_MORE;
}
