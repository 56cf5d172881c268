#include "order/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum { DOCUMENT_MAX = 64 << 20 };

static bool add_line(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *text)
{
    json_t *lines = arg;
    json_t *line = json_loads(text, 0, NULL);
    if (!json_is_object(line)) {
        json_decref(line);
        line = json_pack("{s:o}", "text", json_text(text));
    }
    json_t *out = json_pack("{s:o, s:s}", "at", json_time(at), "kind", kind);
    if (*order)
        json_object_set_new(out, "order", json_text(order));
    (void)cert;
    json_object_update_missing(out, line);
    json_decref(line);
    json_array_append_new(lines, out);
    return true;
}

json_t *evidence_collect(struct store *s, const char *cert, const char *order)
{
    json_t *lines = json_array();
    evidence_each(s, cert, order, add_line, lines, NULL);
    json_t *doc = json_pack("{s:i, s:s, s:o}", "version", 1, "certificate", cert, "lines", lines);
    if (order)
        json_object_set_new(doc, "order", json_text(order));
    return doc;
}

/* The stored lines are objects of ours, written by json_line() without the keys put before them here: each is taken as it stands. To parse fifty of them and write
 * them anew, twice a certificate, was a tenth of what a long run costs. */
static bool add_text(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *text)
{
    struct str *out = arg;
    char when[32];
    (void)cert;
    time_show(at, when);
    str_fmt(out, "%s\n{\"at\":\"%s\",\"kind\":\"%s\"", out->p[out->n - 1] == '[' ? "" : ",", when, kind);
    if (*order)
        str_fmt(out, ",\"order\":\"%s\"", order);
    if (strcmp(text, "{}") != 0)
        str_fmt(out, ",%s", text + 1);
    else
        str_add(out, "}");
    return true;
}

char *evidence_document(struct store *s, const char *cert, const char *order)
{
    struct str out = STR_INIT(DOCUMENT_MAX);
    str_fmt(&out, "{\"version\":1,\"certificate\":\"%s\",\"order\":\"%s\",\"lines\":[", cert, order);
    evidence_each(s, cert, order, add_text, &out, NULL);
    str_add(&out, "\n]}\n");
    return str_take(&out);
}

static void login_name(char *out, size_t size)
{
    const char *sudo = getenv("SUDO_USER");
    *out = 0;
    if (sudo && *sudo) {
        text_safe(out, size, sudo, strlen(sudo));
        return;
    }
    FILE *f = fopen("/proc/self/loginuid", "re");
    unsigned uid;
    if (f && fscanf(f, "%u", &uid) == 1 && uid != (unsigned)-1)
        snprintf(out, size, "uid %u", uid);
    if (f)
        fclose(f);
}

bool evidence_command(struct store *s, const char *cert, int argc, char *const *argv, struct err *e)
{
    char who[80];
    login_name(who, sizeof who);
    json_t *args = json_array();
    for (int i = 0; i < argc; i++)
        json_array_append_new(args, json_text(argv[i]));
    char *line = json_line(json_pack("{s:i, s:s, s:o}", "uid", (int)getuid(), "login", who, "arguments", args));
    bool ok = evidence_put(s, cert ? cert : "", "", "command", line, e);
    free(line);
    return ok;
}
