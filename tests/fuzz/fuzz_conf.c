/* Any octets as a configuration: every fault is told, every look-up answers, nothing leaks. Files named in the text are looked at, never
 * written, and include= is not followed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct conf_key provider_keys[] = {{.name = "server", .type = CONF_SERVER, .required = true, .help = "x"},
                                                {.name = "algorithm", .type = CONF_WORD, .standard = "b", .allowed = "a|b|c", .help = "x"},
                                                {.name = "date", .type = CONF_DATE, .help = "x"},
                                                {.name = "digits", .type = CONF_DIGITS, .allowed = "9", .help = "x"},
                                                {.name = "command", .type = CONF_COMMAND, .help = "x"},
                                                {0}};
static const struct conf_key ca_keys[] = {{.name = "url", .type = CONF_TEXT, .check = conf_check_https, .help = "x"}, {0}};
static const struct conf_module modules[] = {{.kind = "provider", .type = "rfc2136", .keys = provider_keys},
                                             {.kind = "ca", .type = "portal", .keys = ca_keys, .by_person = true},
                                             {.kind = "ca", .type = "acme", .keys = ca_keys},
                                             {0}};

static void read_section(const struct section *s)
{
    struct endpoints servers;
    struct places places;
    struct strs l;

    (void)section_text(s, "type");
    (void)section_yes(s, "server");
    (void)section_word(s, "algorithm");
    (void)section_number(s, "ttl");
    (void)section_number(s, "date");
    section_list(s, "zones", &l);
    strs_free(&l);
    section_list(s, "command", &l);
    strs_free(&l);
    section_servers(s, "server", &servers);
    endpoints_free(&servers);
    section_places(s, "record", &places);
    places_free(&places);
}

static void look_up(const struct conf *c)
{
    const char *zone = NULL;

    for (size_t i = 0; i < c->n_cert; i++) {
        const struct conf_cert *t = &c->cert[i];

        if (!conf_cert(c, t->name))
            abort();
        for (size_t k = 0; k < t->names.n; k++) {
            (void)conf_writer(c, t->names.s[k], t->provider, &zone);
            (void)conf_verify(c, conf_zone(c, t->names.s[k]), t->ca ? conf_ca(c, t->ca) : NULL);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct conf *c = conf_load_text("fuzz.ini", (const char *)data, n, modules);

    for (size_t i = 0; i < c->n_fault; i++) {
        struct str s = STR_INIT(4096);

        conf_fault_show(&c->fault[i], &s);
        str_free(&s);
    }
    for (size_t i = 0; i < c->n_provider; i++)
        read_section(&c->provider[i]);
    for (size_t i = 0; i < c->n_ca; i++)
        read_section(&c->ca[i]);
    look_up(c);
    if (conf_fatal(c) != RC_OK && c->n_fault == 0)
        abort();
    conf_free(c);
    return 0;
}
