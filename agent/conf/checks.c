/* checks.c: what a key's text must be beyond its type; struct conf_key's `check`. No check repeats the value: it may hold a secret. */
#include "conf/conf.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/checks.h"

static bool because(char why[160], const char *text)
{
    snprintf(why, 160, "%s", text);
    return false;
}

/* What stands between "://" and the path: host[:port], no user. */
static bool authority(const char *p, char why[160])
{
    size_t n = strcspn(p, "/?#");
    const char *end = p + n, *port;

    if (memchr(p, '@', n))
        return because(why, "no user or password in a URL: this file is no place for secrets, there are keys for both");
    if (*p == '[') {
        const char *close = memchr(p, ']', n);

        if (!close)
            return because(why, "the address in the URL has no closing \"]\"");
        port = close + 1;
    } else {
        port = memchr(p, ':', n);
        if (!port)
            port = end;
    }
    if (port == p)
        return because(why, "the URL names no host");
    if (port == end)
        return true;
    if (*port != ':' || port + 1 == end || end - port > 6 || strspn(port + 1, "0123456789") < (size_t)(end - port - 1))
        return because(why, "the port in the URL is no number");
    long number = strtol(port + 1, NULL, 10);
    return (number >= 1 && number <= 65535) || because(why, "the port in the URL must be a number from 1 to 65535");
}

static bool url_of(const char *value, const char *const scheme[], const char *wanted, char why[160])
{
    for (const char *p = value; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return because(why, "a URL holds no blanks");
    }
    for (size_t i = 0; scheme[i]; i++) {
        size_t n = strlen(scheme[i]);

        if (strncasecmp(value, scheme[i], n) == 0)
            return authority(value + n, why);
    }
    return because(why, wanted);
}

bool conf_check_url(const char *value, char why[160])
{
    static const char *const scheme[] = {"https://", "http://", NULL};

    if (!url_of(value, scheme, "no URL; write https://HOST/PATH (or http:// where the service is on this machine)", why))
        return false;
    return !strpbrk(value, "?#") || because(why, "paths are put behind this URL: nothing from \"?\" or \"#\" on");
}

bool conf_check_https(const char *value, char why[160])
{
    static const char *const scheme[] = {"https://", NULL};

    return url_of(value, scheme, "no https URL; write https://HOST/PATH", why);
}

bool conf_check_positive(const char *value, char why[160])
{
    int64_t v;

    if (duration_parse(value, &v) && v == 0)
        return because(why, "the duration must be longer than nothing");
    return true;
}

bool conf_check_readable(const char *value, char why[160])
{
    struct stat st;

    if (stat(value, &st) != 0 || access(value, R_OK) != 0)
        return because(why, "the file does not exist or cannot be read by the agent; correct the path or its mode");
    if (!S_ISREG(st.st_mode))
        return because(why, "this is no plain file");
    return true;
}

bool conf_check_absolute(const char *value, char why[160])
{
    struct strs l = {0};
    bool good = true;

    strs_split(&l, value);
    for (size_t i = 0; i < l.n; i++)
        good &= l.s[i][0] == '/';
    strs_free(&l);
    return good || because(why, "every path must be absolute: begin it with /");
}

bool check_proxy(const char *value, char why[160])
{
    static const char *const scheme[] = {"http://", NULL};

    if (strcmp(value, "none") == 0)
        return true;
    return url_of(value, scheme, "no proxy; write http://HOST:PORT, or none", why);
}

bool check_log(const char *value, char why[160])
{
    if (value[0] == '/' || strcmp(value, "syslog") == 0 || strcmp(value, "none") == 0)
        return true;
    return because(why, "allowed: syslog, none, or the absolute path of a file");
}

bool check_address(const char *value, char why[160])
{
    uint8_t octets[16];

    if (inet_pton(AF_INET, value, octets) == 1 || inet_pton(AF_INET6, value, octets) == 1)
        return true;
    return because(why, "no IPv4 or IPv6 address; write it without port and brackets");
}

bool check_email(const char *value, char why[160])
{
    const char *at = strchr(value, '@');

    if (at && at != value && at[1] && !strchr(at + 1, '@') && !strchr(value, ' ') && strchr(at, '.'))
        return true;
    return because(why, "no mail address; write it as in admin@example.hk");
}

bool check_group(const char *value, char why[160])
{
    size_t n = strlen(value);

    /* Whether it exists is doctor's to say: the group may come from a directory that is not up yet. */
    if (n <= 32 && value[0] != '-' && strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n)
        return true;
    return because(why, "no name of a group; letters, digits, . _ - are allowed");
}

bool check_served(const char *value, char why[160])
{
    struct strs servers = {0};
    struct endpoint at;
    bool ok = true;

    strs_split(&servers, value);
    for (size_t i = 0; i < servers.n && ok; i++)
        ok = endpoint_parse_tls_host(servers.s[i], &at, NULL);
    strs_free(&servers);
    return ok || because(why, "not HOST[:PORT][#ADDRESS]; write servers as in www.example.hk www.example.hk:8443#192.0.2.1");
}
