/* chain.h: the chain of a leaf, chosen by signature and EKU, never by subject alone (the reissued intermediate has the same name). */
#ifndef DCV_CERT_CHAIN_H
#define DCV_CERT_CHAIN_H

#include "cert/hierarchy.h"
#include "cert/issued.h"
#include "conf/conf.h"

/* Roots loaded once, for the chains of many servers: the system's, and the self-signed certificates of files (as chain_files, NULL: none). */
struct roots;
struct roots *roots_new(const struct strs *files);
void roots_free(struct roots *r);

struct chain_in {
    const struct issued *given; /* with the leaf: what came with it */
    size_t leaf;
    const struct strs *files; /* chain_files: PEM or DER files or glob patterns: intermediates, cross certificates, roots; may be empty */
    const char *ca_file;      /* trust this root file instead of the system's; NULL */
    bool trust_given;         /* the CA is trusted to have sent the chain with the leaf; see below */
    const struct roots *roots; /* these are trusted, and nothing but what was given may stand below them; files and ca_file are passed over; NULL */
    const struct hierarchy *known; /* what is publicly known of the CA's certificates: current ones are preferred; NULL */
    enum chain_form form;     /* full; with-cross; leaf */
    const char *host;         /* name the chain is verified for; NULL */
    int64_t now;              /* verification time, s */
};

struct chain {
    char *cert_pem, *chain_pem, *fullchain_pem; /* leaf; intermediates without the root; both */
    char *path_pem;                             /* leaf to root as verified; NULL: no way to a root was found, or none was needed */
    struct strs warnings;                       /* "the old intermediate ... is in the set and was not used", ... */
    struct strs wanted;                         /* URLs of what is missing, or would replace an old intermediate; set on failure too */
    char *missing;                              /* CHAIN_INCOMPLETE: the issuer that is missing, and why those of its name do not do */
    bool untrusted;                             /* CHAIN_INCOMPLETE: the way up ends at a root that came along and is trusted nowhere */
    bool outdated;                              /* an intermediate of it was reissued by its CA meanwhile */
    int64_t not_after;                          /* earliest end of leaf and intermediates */
};

/* Roots: self-signed certificates among chain_files and those of ca_file where there are any; else the system's (OpenSSL's default paths).
 * Each candidate issuer must verify the signature, be a CA, be valid at `now`, and allow serverAuth (no EKU, or serverAuth/any in it; one
 * that its CA has reissued (known) loses, one with EKU serverAuth wins over one without, the later notBefore wins). with-cross adds the cross certificate of the root where one verifies.
 * The outcome is verified as a whole for serverAuth; host "*.x" is verified as a name below x. At most 8 certificates below the root, 64
 * candidates, 1 MiB a file.
 * trust_given, with neither files nor ca_file: the chain is what came with the leaf, whoever signed its topmost certificate: each must be signed by
 * the next, and all verify for serverAuth and host as above. That is for CAs that hand over the chain themselves over a channel that was verified
 * (ACME): which root it ends in is the CA's and its clients' affair, a private or new root is in no system's store, and the CA's order is the one its
 * preferred_chain was chosen by. A self-signed certificate at its end is left out. Where nothing that came with the leaf signed it, this is as
 * without trust_given.
 * Form leaf: the chain is checked as well, but where it is incomplete that is a warning only.
 * Warnings (set on failure too): files that cannot be read, patterns that match nothing, unused certificates of the same CA, a cross
 * certificate that is missing or leads nowhere, an intermediate that ends before the leaf.
 * Faults RC_CA: CHAIN_INCOMPLETE (names the issuer that is missing, why those of its name do not do, and where to put it), CHAIN_BAD (there is
 * a way to a root, but it does not verify, or not for host). RC_CONF: CA_FILE. */
bool chain_build(const struct chain_in *in, struct chain *out, struct err *e);
void chain_clear(struct chain *c);

#endif
