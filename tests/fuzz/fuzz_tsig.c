/* fuzz_tsig.c: an answer from a stranger to a signed UPDATE and to a signed question. The request had id 0x1234 and a MAC of zeroes; the seeds
 * are answers that are truly signed for it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1700000000, ID = 0x1234 };

static void judge(const uint8_t *data, size_t size, const struct update *u, const struct tsig_key *key)
{
    struct update_answer a;
    struct err e = {0};
    struct update_about about = {.server = "192.0.2.53", .zone = "hk", .owner = "www.hk", .key = key, .type = TYPE_TXT, .add = true};
    struct tsig_verdict v = tsig_verify(data, size, &u->sent, key, NOW);
    if (v.result == TSIG_OK && (!v.proven || v.error || v.skew))
        abort();
    enum update_says says = update_judge((struct bytes){data, size}, u, key, NOW, &a);
    if (says == SAYS_DONE && (a.rcode || a.tsig.result != TSIG_OK || !a.tsig.proven))
        abort();
    update_err(&a, &about, &e);
    if (update_question_judge((struct bytes){data, size}, u, key, NOW, &a) && !a.tsig.proven)
        abort();
    update_judge((struct bytes){data, size}, u, NULL, NOW, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t secret[] = "secret of the tests";
    struct tsig_key key = {.name = "k", .secret = {secret, sizeof secret - 1}};
    static struct update u;
    if (!u.w.p) {
        update_question(&u, "hk", TYPE_SOA);
        u.sent.id = ID;
    }
    const enum tsig_alg algs[] = {TSIG_SHA256, TSIG_MD5};
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        key.alg = algs[i];
        u.sent.n = tsig_alg_size(key.alg);
        judge(data, size, &u, &key);
    }
    return 0;
}
