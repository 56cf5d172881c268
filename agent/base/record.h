/* record.h: octets and DNS records as all floors see them. */
#ifndef DCV_BASE_RECORD_H
#define DCV_BASE_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum { TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_DNAME = 39, TYPE_DS = 43,
       TYPE_RRSIG = 46, TYPE_DNSKEY = 48, TYPE_NSEC3PARAM = 51, TYPE_AXFR = 252, TYPE_CAA = 257 };

struct bytes {
    const uint8_t *p;
    size_t n;
};

struct record {
    const char *owner;  /* A-labels, lower case, no final dot; any FQDN, the zone apex too */
    uint16_t type;      /* TYPE_TXT, TYPE_CNAME */
    uint32_t ttl;       /* seconds */
    struct bytes value; /* TXT: the octets before they are split into strings of 255; CNAME: the target name */
};

/* Where a CA wants its record, relative to the name to prove: at the name without "*.", at the apex of its zone cut, or below a
 * label such as "_acme-challenge". */
enum record_at { AT_NAME, AT_APEX, AT_LABEL };
struct place {
    enum record_at at;
    char *label; /* AT_LABEL only: one label with its underscore */
};

/* Longest TXT value written: fits one UDP answer beside others; CA values are far shorter. */
enum { TXT_VALUE_MAX = 4096 };

#endif
