/* described.h: provider types that are files, conf/providers/NAME.ini, interpreted. docs/PROVIDERS.md says what stands in them. */
#ifndef DCV_PROVIDERS_HTTP_DESCRIBED_H
#define DCV_PROVIDERS_HTTP_DESCRIBED_H

#include "conf/describe.h"
#include "providers/provider.h"

/* Takes d, which lives as long as the type. Always gives a type, with whatever of it is sound: its keys even where the rest has faults. */
struct provider_ops *described_type(struct description *d);
const struct conf_fault *described_faults(const struct provider_ops *p, size_t *n); /* live as long as the type */
void described_free(struct provider_ops *p);

#endif
