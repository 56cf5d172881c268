/* webplace.h: would a CA see a file at this name? Judged by views of a file beside the real one that is not there: what caches keep of that does no
 * harm, while a "no such file" kept of the real one would. */
#ifndef DCV_DCV_WEBPLACE_H
#define DCV_DCV_WEBPLACE_H

#include "dcv/finding.h"
#include "dcv/webview.h"

#define WEBPLACE_PATH "/.well-known/pki-validation/dcvagent-doctor.txt"

/* Pure. views: of one round for WEBPLACE_PATH. A finding for each kind of answer, which names the addresses. */
void webplace_judge(const char *host, const struct web_view *views, size_t n, struct findings *out);

#endif
