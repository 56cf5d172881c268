/* conf_tools.c: modules, a folder of files and small helpers for the tests of the configuration. */
#include "conf_tools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"

static const struct conf_key rfc2136_keys[] = {
    {.name = "server", .type = CONF_SERVER, .required = true, .allowed = "192.0.2.53", .help = "x"},
    {.name = "tsig_key_file", .type = CONF_SECRET, .help = "x"},
    {.name = "tsig_name", .type = CONF_TEXT, .help = "x"},
    {.name = "tsig_algorithm", .type = CONF_WORD, .standard = "hmac-sha256", .allowed = "hmac-sha1|hmac-sha256|hmac-sha512", .help = "x"},
    {.name = "tsig_secret_file", .type = CONF_SECRET, .help = "x"},
    {.name = "tsig_allow_md5", .type = CONF_YESNO, .standard = "no", .help = "x"},
    {.name = "sign_query", .type = CONF_YESNO, .standard = "no", .help = "x"},
    {0}};
static const struct conf_key powerdns_keys[] = {{.name = "url", .type = CONF_TEXT, .required = true, .check = conf_check_url, .help = "x"},
                                                {.name = "api_key_file", .type = CONF_SECRET, .required = true, .help = "x"},
                                                {0}};
static const struct conf_key portal_keys[] = {
    {.name = "profile", .type = CONF_TEXT, .required = true, .allowed = "hongkongpost-ecert", .help = "x"},
    {.name = "url", .type = CONF_TEXT, .check = conf_check_https, .help = "x"},
    {.name = "unattended", .type = CONF_YESNO, .standard = "no", .help = "x"},
    {0}};
static const struct conf_key acme_keys[] = {
    {.name = "directory", .type = CONF_TEXT, .required = true, .check = conf_check_https, .allowed = "https://...", .help = "x"},
    {.name = "contact", .type = CONF_LIST, .help = "x"},
    {.name = "accept_terms", .type = CONF_YESNO, .standard = "no", .help = "x"},
    {.name = "record_ttl", .type = CONF_COUNT, .standard = "60", .allowed = "1..86400", .help = "x"},
    {.name = "record", .type = CONF_PLACES, .standard = "_acme-challenge", .help = "x"},
    {0}};
static const struct conf_key none_keys[] = {{0}};

const struct conf_module conf_modules[] = {{.kind = "provider", .type = "rfc2136", .keys = rfc2136_keys},
                                           {.kind = "provider", .type = "powerdns", .keys = powerdns_keys},
                                           {.kind = "ca", .type = "manual", .keys = none_keys, .by_person = true},
                                           {.kind = "ca", .type = "portal", .keys = portal_keys, .by_person = true},
                                           {.kind = "ca", .type = "acme", .keys = acme_keys},
                                           {0}};

static char folder[64]; /* made by setup() */

char *conf_path_of(const char *name)
{
    return mem_fmt("%s/%s", folder, name);
}

void conf_write_file(const char *name, mode_t mode, const char *text, size_t n)
{
    char *path = conf_path_of(name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    free(path);
}

void conf_put_text(const char *name, mode_t mode, const char *text)
{
    conf_write_file(name, mode, text, strlen(text));
}

/* $D in a text stands for the folder. */
static char *expand(const char *text)
{
    struct str s = STR_INIT(1 << 20);
    const char *d;

    while ((d = strstr(text, "$D"))) {
        str_put(&s, text, (size_t)(d - text));
        str_add(&s, folder);
        text = d + 2;
    }
    str_add(&s, text);
    return str_take(&s);
}

char *conf_all_faults(const struct conf *c)
{
    struct str s = STR_INIT(1 << 20);

    for (size_t i = 0; i < c->n_fault; i++) {
        conf_fault_show(&c->fault[i], &s);
        str_add(&s, "\n");
    }
    return str_take(&s);
}

struct conf *conf_of(const char *text)
{
    char *full = expand(text);
    struct conf *c = conf_load_text("t.ini", full, strlen(full), conf_modules);

    free(full);
    assert_non_null(c);
    return c;
}

/* Each expected line: "LINE: SECTION: KEY: substring" or a part of it; all faults must be expected. */
void conf_expect_clean(const struct conf *c)
{
    char *got = conf_all_faults(c);

    if (c->n_fault)
        fail_msg("faults:\n%s", got);
    free(got);
}

int conf_setup(void **state)
{
    char *d;

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/dcv-conf-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    d = conf_path_of("conf.d");
    mkdir(d, 0755);
    free(d);
    conf_put_text("secret", 0600, "x\n");
    conf_put_text("loose", 0644, "x\n");
    conf_put_text("csr", 0644, "x\n");
    conf_put_text("hook", 0755, "#!/bin/true\n");
    conf_put_text("loose_hook", 0777, "#!/bin/true\n");
    return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int conf_teardown(void **state)
{
    (void)state;
    return nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}
