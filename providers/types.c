/* types.c: the provider types that are built in. */
#include "providers/provider.h"

extern const struct provider_ops provider_acmesh, provider_azure, provider_exec, provider_google, provider_lego_exec, provider_powerdns,
    provider_rfc2136, provider_route53;

const struct provider_ops *const provider_types[] = {&provider_powerdns,  &provider_rfc2136, &provider_exec,
                                                     &provider_lego_exec, &provider_acmesh,  &provider_route53,
                                                     &provider_google,    &provider_azure,   NULL};
