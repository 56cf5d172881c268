/* manual.h: a CA whose web pages a person uses; the agent does all the rest (Hongkong Post e-Cert, HKCA d-Cert and the like).
 *
 * What the person hands over (pin, code, confirmed, submitted, import) moves the case; between two of these everything runs from
 * cron. The handle: {"reference","codes":{HOST or "*":{"value","received"}},"failed":{"at","text"},"confirmed","submitted"}. */
#ifndef DCV_CA_MANUAL_H
#define DCV_CA_MANUAL_H

#include "ca/ca.h"

extern const struct ca_ops manual_ca;

#endif
