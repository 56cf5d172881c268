/* public.h: is an address one of the public internet? What a certificate or a page of others names must not lead into our own network. */
#ifndef DCV_NET_PUBLIC_H
#define DCV_NET_PUBLIC_H

#include <stdbool.h>

/* A literal IPv4 or IPv6 address that the IANA registries of special-purpose addresses (RFC 6890) have as globally reachable. Addresses that
 * embed an IPv4 address (mapped, NAT64, 6to4) are as public as that one. Anything else: false. */
bool address_public(const char *addr);

#endif
