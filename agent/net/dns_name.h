/* dns_name.h: names of the wire as text. */
#ifndef DCV_NET_DNS_NAME_H
#define DCV_NET_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_NAME_TEXT = 1024 }; /* 255 octets, each as \DDD at worst */

/* The uncompressed name at the start of p as text: lower case, no final dot, "" for the root, odd octets as \DDD. *used (may be NULL):
 * its octets on the wire. false: malformed, compressed, over 255 octets, or longer than out. */
bool dns_name_text(const uint8_t *p, size_t n, char *out, size_t size, size_t *used);

#endif
