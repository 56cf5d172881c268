/* described_service.h: the service that test_described.c's descriptions speak to: TXT records with ids below /zones/77, the same as whole
 * sets below /sets, a session, pages, a batch, jobs that are done later, and what goes wrong on demand. Its state is the test's too. */
#include "api_server.h"
#include "base/json.h"

enum { RECORDS = 64, PAGE = 2 };
struct service {
    struct {
        int id; /* 0: free */
        char name[80], content[700], note[20];
        int ttl;
    } r[RECORDS];
    int next, tokens, version, committed, pending, logins;
    bool refuse_login, expire, lose_page, no_page, web_page, lose_commit, sync_fails, conflict, no_tag;
    char reject[80]; /* a name whose records are refused */
    char listed[2000], listed_head[1000]; /* what /listed answers */
};
static struct service *service;

static int put_record(const char *name, const char *content, int ttl)
{
    for (size_t i = 0; i < RECORDS; i++)
        if (!service->r[i].id) {
            service->r[i].id = ++service->next;
            snprintf(service->r[i].name, sizeof service->r[i].name, "%s", name);
            snprintf(service->r[i].content, sizeof service->r[i].content, "%s", content);
            snprintf(service->r[i].note, sizeof service->r[i].note, "note-%d", service->next);
            service->r[i].ttl = ttl;
            service->version++;
            return service->next;
        }
    return 0;
}

static int record_at(const char *name, const char *content)
{
    for (int i = 0; i < RECORDS; i++)
        if (service->r[i].id && !strcmp(service->r[i].name, name) && !strcmp(service->r[i].content, content))
            return i;
    return -1;
}

static bool has(const char *name, const char *content)
{
    return record_at(name, content) >= 0;
}

static unsigned count(void)
{
    unsigned n = 0;
    for (size_t i = 0; i < RECORDS; i++)
        n += service->r[i].id != 0;
    return n;
}

static bool remove_record(int id)
{
    for (size_t i = 0; i < RECORDS; i++)
        if (service->r[i].id == id) {
            service->r[i].id = 0;
            service->version++;
            return true;
        }
    return false;
}

static int number_in(const char *path, const char *before)
{
    const char *at = strstr(path, before);
    return at ? atoi(at + strlen(before)) : 0;
}

static void give(char body[API_ANSWER], json_t *j)
{
    char *text = json_dumps(j, 0);
    snprintf(body, API_ANSWER, "%s", text);
    free(text);
    json_decref(j);
}

static int list_records(const char *path, char body[API_ANSWER])
{
    json_t *all = json_array();
    const char *wanted = strstr(path, "name=");
    int page = number_in(path, "page="), seen = 0;
    if (service->web_page)
        strcpy(body, "\n<html>nothing here</html>");
    if (service->web_page || (service->no_page && page == 2))
        return 404;
    for (size_t i = 0; i < RECORDS; i++) {
        if (!service->r[i].id || (wanted && (strncmp(wanted + 5, service->r[i].name, strlen(service->r[i].name)) != 0 ||
                                             !strchr("&", wanted[5 + strlen(service->r[i].name)]))))
            continue;
        if (seen / PAGE == page - 1 && !(service->lose_page && page == 2))
            json_array_append_new(all, json_pack("{s:i, s:s, s:s, s:i}", "id", service->r[i].id, "name", service->r[i].name, "content",
                                                 service->r[i].content, "ttl", service->r[i].ttl));
        seen++;
    }
    give(body, json_pack("{s:b, s:o, s:i}", "ok", 1, "records", all, "total", seen));
    return 200;
}

static int add_record(const json_t *j, json_t **out)
{
    const char *name = json_str(j, "name"), *content = json_str(j, "content");
    if (*service->reject && !strcmp(name, service->reject))
        return 422;
    if (has(name, content)) {
        *out = json_pack("{s:b, s:{s:i, s:s}}", "ok", 0, "error", "code", 81058, "message", "exists already");
        return 400;
    }
    int id = put_record(name, content, (int)json_num(j, "ttl"));
    service->pending = 2;
    *out = json_pack("{s:b, s:{s:i}, s:s}", "ok", 1, "record", "id", id, "job", "job/1");
    return 200;
}

static int batch(const json_t *j, char body[API_ANSWER])
{
    size_t i;
    json_t *one, *out = NULL;
    json_array_foreach(json_object_get(j, "posts"), i, one) if (!strcmp(json_str(one, "name"), service->reject)) return 422;
    json_array_foreach(json_object_get(j, "deletes"), i, one) remove_record((int)json_num(one, "id"));
    json_array_foreach(json_object_get(j, "posts"), i, one)
    {
        add_record(one, &out);
        json_decref(out);
    }
    strcpy(body, "{\"ok\": true}");
    return 200;
}

static int records(const struct api_request *r, const json_t *in, char body[API_ANSWER])
{
    json_t *out = NULL;
    int status = 404;
    if (strstr(r->path, "/batch"))
        return batch(in, body);
    if (strstr(r->path, "/commit")) {
        if (service->lose_commit)
            return service->lose_commit = false;
        service->committed++;
        return 204;
    }
    if (!strcmp(r->method, "GET"))
        return list_records(r->path, body);
    if (!strcmp(r->method, "POST"))
        status = add_record(in, &out);
    else
        return remove_record(number_in(r->path, "/records/")) ? 204 : 404;
    if (out)
        give(body, out);
    return status;
}

static int zones(const char *path, char body[API_ANSWER])
{
    if (number_in(path, "page=") == 1)
        strcpy(body, "{\"zones\": [{\"id\": 1, \"name\": \"other.hk\"}, {\"id\": 2, \"name\": \"xexample.hk\"}], \"pages\": 2}");
    else
        strcpy(body, "{\"zones\": [{\"id\": 77, \"name\": \"Example.hk.\"}], \"pages\": 2}");
    return 200;
}

static int login(const json_t *in, char body[API_ANSWER])
{
    service->logins++;
    if (service->refuse_login || strcmp(json_str(in, "password"), "s3cret-word"))
        return 403;
    snprintf(body, API_ANSWER, "{\"session\": {\"token\": \"tok-%d\"}}", ++service->tokens);
    return 200;
}

static int get_set(const char *name, char head[1024], char body[API_ANSWER])
{
    json_t *values = json_array();
    int ttl = 0;
    for (size_t i = 0; i < RECORDS; i++)
        if (service->r[i].id && !strcmp(service->r[i].name, name)) {
            ttl = service->r[i].ttl;
            json_array_append_new(values, json_pack("{s:s, s:s}", "content", service->r[i].content, "note", service->r[i].note));
        }
    if (!service->no_tag)
        sprintf(head, "ETag: \"v%d\"\r\n", service->version);
    bool none = !json_array_size(values);
    give(body, json_pack("{s:i, s:o}", "ttl", ttl, "values", values));
    return none ? 404 : 200;
}

static int put_set(const struct api_request *r, const char *name, const json_t *in)
{
    char tag[40], *match = strcasestr(r->head, "If-Match: ");
    size_t i;
    json_t *one;
    snprintf(tag, sizeof tag, "\"v%d\"", service->version);
    if (service->conflict || (match && strncmp(match + 10, tag, strlen(tag)) != 0))
        return 412;
    for (size_t k = 0; k < RECORDS; k++)
        if (!strcmp(service->r[k].name, name))
            service->r[k].id = 0;
    json_array_foreach(json_object_get(in, "values"), i, one)
    {
        int at = put_record(name, json_str(one, "content"), (int)json_num(in, "ttl"));
        for (size_t k = 0; k < RECORDS; k++)
            if (service->r[k].id == at)
                snprintf(service->r[k].note, sizeof service->r[k].note, "%s", json_str(one, "note"));
    }
    return 200;
}

static int answer(const struct api_request *r, char head[1024], char body[API_ANSWER])
{
    char token[64], name[80] = "";
    json_t *in = json_loads(r->body, JSON_REJECT_DUPLICATES, NULL);
    int status = 404;
    snprintf(token, sizeof token, "X-Token: tok-%d\r\n", service->tokens);
    if (!strcmp(r->path, "/v1/login"))
        status = login(in, body);
    else if (!strncmp(r->path, "/v1/sets/", 9) && sscanf(r->path, "/v1/sets/%79[^/]", name) == 1)
        status = !strcmp(r->method, "GET") ? get_set(name, head, body) : put_set(r, name, in);
    else if (!strncmp(r->path, "/v1/form", 8)) {
        give(body, json_pack("{s:s}", "got", r->body));
        status = 200;
    } else if (!strncmp(r->path, "/v1/listed/", 11)) {
        strcpy(body, service->listed);
        strcpy(head, service->listed_head);
        status = 200;
    } else if (!strncmp(r->path, "/v1/parrot", 10)) {
        give(body, json_pack("{s:o}", "message", json_sprintf("no such key: %s %s p w&rd/1234", r->body, r->path)));
        status = 400;
    } else if (!strcmp(r->path, "/v1/signed")) {
        status =
            strcasestr(r->head, "Authorization: TC3-HMAC-SHA256 Credential=AKID/") && strcasestr(r->head, "X-TC-Timestamp: ") ? 200 : 401;
    } else if (!strcasestr(r->head, token) || service->expire) {
        service->expire = false;
        status = 401;
    } else if (!strncmp(r->path, "/v1/zones?", 10))
        status = zones(r->path, body);
    else if (!strncmp(r->path, "/v1/job/1", 9)) {
        snprintf(body, API_ANSWER, "{\"state\": \"%s\", \"message\": \"disk full: s3cret-word\"}",
                 service->pending-- > 0 ? "running"
                 : service->sync_fails  ? "failed"
                                        : "done");
        status = 200;
    } else if (!strncmp(r->path, "/v1/zones/77/", 13))
        status = records(r, in, body);
    json_decref(in);
    return status;
}
