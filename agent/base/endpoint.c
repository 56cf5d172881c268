#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/str.h"

enum { TEXT_MAX = 600 };

static const struct {
    const char *scheme;
    enum via via;
} schemes[] = {{"udp://", VIA_UDP}, {"tcp://", VIA_TCP}, {"tls://", VIA_TLS}, {"https://", VIA_HTTPS}};

static uint16_t usual_port(enum via via)
{
    return via == VIA_TLS ? 853 : via == VIA_HTTPS ? 443 : 53;
}

static bool refuse(struct err *e, const char *text, const char *why)
{
    char safe[200];
    return err_set(e, RC_CONF, "SERVER", "\"%s\": %s", text_safe(safe, sizeof(safe), text, strlen(text)), why);
}

/* The address in its usual spelling, so that two spellings of one address are the same server. */
static bool address(const char *text, char out[46])
{
    unsigned char raw[16];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    return inet_pton(family, text, raw) == 1 && inet_ntop(family, raw, out, 46);
}

static bool port(const char *text, uint16_t *out)
{
    size_t n = strspn(text, "0123456789");
    long value = n && n <= 5 && !text[n] ? strtol(text, NULL, 10) : 0;
    if (value < 1 || value > 65535)
        return false;
    *out = (uint16_t)value;
    return true;
}

/* Cuts `host` (changed in place) into address or name, and port. */
static const char *split_port(char *host, struct endpoint *out)
{
    unsigned char raw[16];
    char *end, *number = NULL;
    if (host[0] == '[') {
        if (!(end = strchr(host, ']')))
            return "\"]\" is missing behind the address";
        if (end[1] && end[1] != ':')
            return "behind \"]\" only :port may stand";
        number = end[1] ? end + 2 : NULL;
        *end = '\0';
        memmove(host, host + 1, strlen(host));
        if (inet_pton(AF_INET6, host, raw) != 1)
            return "between [ and ] an IPv6 address is needed, such as [2001:db8::1]:53";
    } else if (inet_pton(AF_INET6, host, raw) != 1 && (end = strrchr(host, ':'))) {
        if (strchr(host, ':') != end)
            return strchr(host, '%') ? "addresses with a zone (%) are not accepted"
                                     : "not an IPv6 address; with a port write [2001:db8::1]:53";
        number = end + 1;
        *end = '\0';
    }
    return !number || port(number, &out->port) ? NULL : "the port must be a number from 1 to 65535";
}

/* HOST[:PORT] into address, or name where names are allowed. */
static bool host_port(const char *text, char *host, bool names, struct endpoint *out, struct err *e)
{
    const char *why = split_port(host, out);
    if (why)
        return refuse(e, text, why);
    if (address(host, out->addr))
        return true;
    if (!*host)
        return refuse(e, text, "the address is missing");
    if (!names)
        return refuse(e, text, "an IPv4 or IPv6 address is needed here, not a name");
    struct err why_not = {0};
    if (!name_parse(host, NAME_SINGLE | NAME_UNDERSCORE, out->name, &why_not))
        return refuse(e, text, why_not.text);
    return true;
}

/* tls://ADDR[:PORT]#NAME */
static bool parse_tls(const char *text, char *rest, bool names, struct endpoint *out, struct err *e)
{
    char *name = strchr(rest, '#');
    if (name)
        *name++ = '\0';
    if (!host_port(text, rest, names, out, e))
        return false;
    if (!name && out->name[0])
        return true;
    if (!name)
        return refuse(e, text, "the name in the server's certificate is missing: tls://9.9.9.9#dns.quad9.net");
    struct err why = {0};
    if (!name_parse(name, NAME_SINGLE, out->name, &why))
        return refuse(e, text, why.text);
    return true;
}

/* https://HOST[:PORT]/PATH[#ADDR] */
static bool parse_https(const char *text, char *rest, bool names, struct endpoint *out, struct err *e)
{
    char *at = strchr(rest, '#');
    if (at)
        *at++ = '\0';
    char *path = strchr(rest, '/');
    if (!path || strpbrk(rest, "?@\"\\<> "))
        return refuse(e, text, "a URL such as https://dns.google/dns-query#8.8.8.8 is needed");
    if (snprintf(out->url, sizeof(out->url), "https://%s", rest) >= (int)sizeof(out->url))
        return refuse(e, text, "the URL is longer than 255 octets");
    *path = '\0';
    if (!host_port(text, rest, true, out, e))
        return false;
    if (at) {
        size_t n = strlen(at);
        if (n > 1 && at[0] == '[' && at[n - 1] == ']') {
            at[n - 1] = '\0';
            at++;
        }
        if (!address(at, out->addr))
            return refuse(e, text, "behind # the address of the server is needed: https://dns.google/dns-query#8.8.8.8");
    }
    if (!out->addr[0] && !names)
        return refuse(e, text, "the address of the server is missing: https://dns.google/dns-query#8.8.8.8");
    return true;
}

static bool parse(const char *text, char *rest, bool names, struct endpoint *out, struct err *e)
{
    bool known = !strstr(rest, "://");
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i].scheme);
        if (strncasecmp(rest, schemes[i].scheme, n) != 0)
            continue;
        out->via = schemes[i].via;
        rest += n;
        known = true;
        break;
    }
    if (!known)
        return refuse(e, text, "unknown kind of server; allowed are ADDRESS[:PORT], tcp://, tls:// and https://");
    out->port = usual_port(out->via);
    if (out->via == VIA_HTTPS)
        return parse_https(text, rest, names, out, e);
    if (out->via == VIA_TLS)
        return parse_tls(text, rest, names, out, e);
    if (strpbrk(rest, "/#"))
        return refuse(e, text, "\"/\" and \"#\" belong to https:// and tls:// only");
    return host_port(text, rest, names, out, e);
}

bool endpoint_parse(const char *text, bool names, struct endpoint *out, struct err *e)
{
    const char *from = text + strspn(text, " \t\r\n");
    size_t n = strlen(from);
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    struct endpoint found = {0};
    if (n > TEXT_MAX)
        return refuse(e, text, "too long for a server");
    char *copy = mem_copy(from, n);
    bool ok = parse(text, copy, names, &found, e);
    free(copy);
    if (ok)
        *out = found;
    return ok;
}

bool endpoint_parse_tls_host(const char *text, struct endpoint *out, struct err *e)
{
    struct endpoint found = {.via = VIA_TCP, .port = 443};
    if (strlen(text) > TEXT_MAX)
        return refuse(e, text, "too long for a server");
    char *copy = mem_str(text), *at = strchr(copy, '#');
    if (at)
        *at++ = '\0';
    bool ok = host_port(text, copy, true, &found, e);
    if (ok && !found.name[0])
        ok = refuse(e, text, "a name is needed, as visitors use it; an address may stand behind #: www.example.hk:443#192.0.2.1");
    if (ok && at && !address(at, found.addr))
        ok = refuse(e, text, "behind # an address is needed: www.example.hk:443#192.0.2.1");
    free(copy);
    if (ok)
        *out = found;
    return ok;
}

void endpoint_show(const struct endpoint *p, char *out, size_t size)
{
    char place[64], tail[8] = "";
    const char *name = p->via == VIA_HTTPS && p->url[0] ? p->url : p->name;
    if (p->port != usual_port(p->via) && name != p->url)
        snprintf(tail, sizeof(tail), ":%u", p->port);
    bool v6 = *tail && strchr(p->addr, ':');
    snprintf(place, sizeof(place), "%s%s%s%s", v6 ? "[" : "", p->addr, v6 ? "]" : "", tail);
    if (!p->addr[0])
        snprintf(out, size, "%s%s", name, tail);
    else if (name[0])
        snprintf(out, size, "%s (%s)", name, place);
    else
        snprintf(out, size, "%s", place);
}

bool endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
    if (a->via != b->via || a->port != b->port || strcmp(a->addr, b->addr) != 0)
        return false;
    if (a->via == VIA_HTTPS && strcmp(a->url, b->url) != 0)
        return false;
    return (a->addr[0] && a->via != VIA_TLS) || name_same(a->name, b->name); /* of DoT the certificate's name matters */
}

void endpoints_add(struct endpoints *l, const struct endpoint *p)
{
    for (size_t i = 0; i < l->n; i++)
        if (endpoint_same(&l->e[i], p))
            return;
    if ((l->n & (l->n - 1)) == 0)
        l->e = mem_grow(l->e, l->n ? l->n * 2 : 1, sizeof(*l->e));
    l->e[l->n++] = *p;
}

void endpoints_free(struct endpoints *l)
{
    free(l->e);
    *l = (struct endpoints){0};
}
