/* sign.h: signatures that cloud APIs want on their requests. Pure: no clock, no network and no random numbers in here.
 *
 * A scheme goes by the name that description files write behind `sign =`:
 *
 *   aws-sigv4         Amazon (Route 53), with or without a session token
 *   tc3-hmac-sha256   Tencent Cloud (DNSPod)
 *   acs3-hmac-sha256  Alibaba Cloud (DNS)
 *   sdk-hmac-sha256   Huawei Cloud (DNS)
 *   volc-hmac-sha256  Volcengine
 *   eg1-hmac-sha256   Akamai (Edge DNS)
 *   ovh-sha1          OVH
 *
 * The first five are one algorithm with one row of parameters each (canonical.c): a request is written in a canonical form, hashed, and the
 * hash signed. The URL is signed as it is sent, except that its query is sorted and escaped anew as RFC 3986 says, so a blank in it must be
 * %20 and never "+". */
#ifndef DCV_PROVIDERS_SIGN_SIGN_H
#define DCV_PROVIDERS_SIGN_SIGN_H

#include "base/record.h"
#include "base/secret.h"
#include "base/str.h"

struct sign_in {
    const char *method;          /* upper case */
    const char *url;             /* as it is sent: https://host[:port]/path?query */
    const struct strs *headers;  /* "Name: value", each name once: what goes with the request besides Host; NULL */
    struct bytes body;           /* n 0: none */
    int64_t time;                /* s; ovh-sha1: by OVH's clock (its /auth/time) */
    const char *nonce;           /* acs3, eg1: a text that was never used before */
    const char *region;          /* aws, volc */
    const char *service;         /* aws, volc, tc3 */
    const char *id;              /* access key id; SecretId; eg1: client token; ovh: application key */
    const struct secret *secret; /* secret access key; eg1: client secret; ovh: application secret */
    const struct secret *token;  /* session token, NULL: none; eg1: access token; ovh: consumer key */
};

bool sign_known(const char *scheme);

/* Appends the header lines that the request needs besides its own: Authorization (ovh: X-Ovh-*), the time, and what else the scheme wants.
 * They are as secret as the token in them. False: RC_CONF SIGN, something is missing or the URL is none; out may hold some lines then. */
bool sign_request(const char *scheme, const struct sign_in *in, struct strs *out, struct err *e);

/* A JSON Web Token (RFC 7519) signed with RS256: base64url of header and claims (JSON texts, as they are) and of their signature.
 * pem: an RSA key of 2048 bits or more, unencrypted. RC_CONF SIGN_KEY. */
bool sign_jwt(const struct secret *pem, const char *header, const char *claims, struct str *out, struct err *e);

#endif
