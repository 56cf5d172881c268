#include "ca/portal/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"

enum { KEPT_MAX = 4096, TRIED_MAX = 1 << 18, PAIRS_MAX = 1000, ANSWER_S = 75 /* longer than any request lasts */ };

static const char *const fate_words[] = {[PIN_NEW] = "new", [PIN_SENT] = "sent", [PIN_REFUSED] = "refused", [PIN_PROVEN] = "proven"};

static char *path_of(const char *state_dir, const char *cert, const char *what)
{
    return mem_fmt("%s/keys/%s.%s", state_dir, cert, what);
}

bool pin_digits(const struct secret *typed, struct secret *pin, struct err *e)
{
    char digits[PIN_DIGITS];
    size_t n = 0;
    bool ok = true;
    for (size_t i = 0; i < typed->n && ok; i++) {
        char c = (char)typed->p[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        ok = c >= '0' && c <= '9' && n < PIN_DIGITS;
        if (ok)
            digits[n++] = c;
    }
    ok = ok && n == PIN_DIGITS;
    if (ok)
        secret_set(pin, digits, n);
    explicit_bzero(digits, sizeof digits);
    return ok || err_set(e, RC_CONF, "PIN_DIGITS",
                         "a PIN has %d digits (blanks between them do not matter); this is none, and it was not tried", PIN_DIGITS);
}

/* --- the PIN handed over ---------------------------------------------------------------------------------------------------------------- */

bool pin_keep(const char *state_dir, const char *cert, const char *reference, const struct secret *pin, struct err *e)
{
    char line[REFERENCE_DIGITS + PIN_DIGITS + 3], *path = path_of(state_dir, cert, "pin");
    int n = snprintf(line, sizeof line, "%s %s\n", reference, (const char *)pin->p);
    bool ok = fs_replace(path, line, (size_t)n, 0600, e);
    explicit_bzero(line, sizeof line);
    free(path);
    return ok;
}

static bool read_kept(const char *text, size_t n, char reference[REFERENCE_DIGITS + 1], struct secret *pin)
{
    const char *digits = text + REFERENCE_DIGITS + 1;
    if (n != REFERENCE_DIGITS + PIN_DIGITS + 2 || text[REFERENCE_DIGITS] != ' ' || strspn(text, "0123456789") != REFERENCE_DIGITS ||
        strspn(digits, "0123456789") != PIN_DIGITS)
        return false;
    snprintf(reference, REFERENCE_DIGITS + 1, "%.*s", REFERENCE_DIGITS, text);
    secret_set(pin, digits, PIN_DIGITS);
    return true;
}

bool pin_kept(const char *state_dir, const char *cert, char reference[REFERENCE_DIGITS + 1], struct secret *pin, struct err *e)
{
    char *path = path_of(state_dir, cert, "pin"), *text = NULL;
    size_t n = 0;
    struct err fault = {0};
    *reference = 0;
    secret_free(pin);
    bool ok = fs_read(path, KEPT_MAX, &text, &n, &fault);
    if (!ok && fault.code && strcmp(fault.code, "NO_FILE") == 0)
        ok = true;
    else if (!ok && e)
        *e = fault;
    else if (ok && !read_kept(text, n, reference, pin))
        ok = err_set(e, RC_STATE, "PIN_FILE", "%s is not as dcvagent pin wrote it; hand the PIN over again: dcvagent pin %s --reference N",
                     path, cert);
    if (text)
        explicit_bzero(text, n);
    free(text);
    free(path);
    return ok;
}

bool pin_wipe(const char *state_dir, const char *cert, struct err *e)
{
    static const char zeros[REFERENCE_DIGITS + PIN_DIGITS + 2];
    char *path = path_of(state_dir, cert, "pin");
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, zeros, sizeof zeros) == sizeof zeros && fsync(fd) == 0 && unlink(path) == 0;
    if (!ok && errno != ENOENT)
        err_set(e, RC_STATE, "PIN_WIPE", "the PIN of %s could not be wiped (%s): %s; remove the file yourself", cert, path,
                strerror(errno));
    else
        ok = true;
    if (fd >= 0)
        close(fd);
    durable("pin-wipe");
    free(path);
    return ok;
}

/* --- what was tried ------------------------------------------------------------------------------------------------------------------- */

static char *tried_path(const char *state_dir)
{
    return mem_fmt("%s/keys/pins.tried", state_dir);
}

static bool salt_read(const char *hex, uint8_t salt[SALT_SIZE])
{
    if (strlen(hex) != 2 * SALT_SIZE || strspn(hex, "0123456789abcdef") != 2 * SALT_SIZE)
        return false;
    for (int i = 0; i < SALT_SIZE; i++) {
        unsigned octet;
        sscanf(hex + i * 2, "%2x", &octet);
        salt[i] = (uint8_t)octet;
    }
    return true;
}

/* {"salt":HEX,"pairs":[{"hash":HEX,"fate":WORD,"at":N}]}; *out NULL: nothing was tried yet. A file that cannot be read means: nobody knows, so
 * nothing is tried. */
static bool load(const char *path, json_t **out, uint8_t salt[SALT_SIZE], struct err *e)
{
    char *text = NULL;
    size_t n;
    struct err fault = {0};
    *out = NULL;
    if (!fs_read(path, TRIED_MAX, &text, &n, &fault)) {
        bool none = fault.code && strcmp(fault.code, "NO_FILE") == 0;
        if (!none && e)
            *e = fault;
        return none;
    }
    json_t *j = json_loadb(text, n, 0, NULL);
    free(text);
    if (salt_read(json_str(j, "salt"), salt) && json_is_array(json_object_get(j, "pairs"))) {
        *out = j;
        return true;
    }
    json_decref(j);
    return err_set(e, RC_STATE, "PIN_MEMORY",
                   "%s, which says what PINs were tried, cannot be read; no PIN is sent before you have looked: if none was refused, "
                   "remove the file",
                   path);
}

static json_t *nothing_tried(const uint8_t salt[SALT_SIZE])
{
    char hex[2 * SALT_SIZE + 1];
    hex_show(hex, sizeof hex, salt, SALT_SIZE);
    return json_pack("{s:s, s:[]}", "salt", hex, "pairs");
}

/* As load(), but the file is there afterwards: pairs are looked up side by side, and all under one salt. */
static bool load_or_begin(const char *path, json_t **out, uint8_t salt[SALT_SIZE], struct err *e)
{
    struct err fault = {0};
    if (!load(path, out, salt, e) || *out)
        return *out;
    if (getrandom(salt, SALT_SIZE, 0) != SALT_SIZE)
        return err_set(e, RC_STATE, "PIN_MEMORY", "cannot get random octets: %s; no PIN is sent", strerror(errno));
    char *line = json_line(nothing_tried(salt));
    bool begun = fs_create(path, line, strlen(line), 0600, &fault);
    free(line);
    if (!begun && strcmp(fault.code, "EXISTS") != 0) {
        if (e)
            *e = fault;
        return false;
    }
    return load(path, out, salt, e); /* ours, or that of another who was faster */
}

static bool save(const char *path, json_t *j, struct err *e)
{
    char *line = json_line(j);
    bool ok = fs_replace(path, line, strlen(line), 0600, e);
    free(line);
    return ok;
}

static json_t *pair_in(json_t *j, const char *hash)
{
    size_t i;
    json_t *pair;
    json_array_foreach(json_object_get(j, "pairs"), i, pair)
    {
        if (strcmp(json_str(pair, "hash"), hash) == 0)
            return pair;
    }
    return NULL;
}

static enum pin_fate fate_of(const json_t *pair)
{
    for (int i = PIN_NEW; pair && i <= PIN_PROVEN; i++)
        if (strcmp(json_str(pair, "fate"), fate_words[i]) == 0)
            return (enum pin_fate)i;
    return pair ? PIN_REFUSED : PIN_NEW; /* a word of a later version: certainly not one to try */
}

bool pin_find(const char *state_dir, const char *reference, const struct secret *pin, struct pin_pair *out, struct err *e)
{
    char both[64], *path = tried_path(state_dir);
    json_t *j;
    memset(out, 0, sizeof *out);
    bool ok = load_or_begin(path, &j, out->salt, e);
    if (ok) {
        int n = snprintf(both, sizeof both, "%s %s", reference, (const char *)pin->p);
        ok = slow_hash((struct bytes){(const uint8_t *)both, (size_t)n}, out->salt, out->hash, e);
        explicit_bzero(both, sizeof both);
        const json_t *pair = pair_in(j, out->hash);
        out->fate = fate_of(pair);
        out->at = json_num(pair, "at");
    }
    json_decref(j);
    free(path);
    return ok;
}

/* Room for one more: the oldest that proved good goes first, for that it is good shows again; what was refused goes last. */
static void make_room(json_t *all)
{
    size_t oldest = 0;
    json_t *pair;
    if (json_array_size(all) < PAIRS_MAX)
        return;
    json_array_foreach(all, oldest, pair)
    {
        if (fate_of(pair) == PIN_PROVEN || fate_of(pair) == PIN_NEW)
            break;
    }
    json_array_remove(all, oldest < json_array_size(all) ? oldest : 0);
}

static void put_pair(json_t *all, json_t *known, const char *hash, enum pin_fate fate, int64_t at)
{
    json_t *pair = known;
    if (!pair) {
        make_room(all);
        pair = json_pack("{s:s}", "hash", hash);
        json_array_append_new(all, pair);
    }
    json_object_set_new(pair, "fate", json_string(fate_words[fate]));
    json_object_set_new(pair, "at", json_integer(at));
}

bool pin_note(const char *state_dir, struct pin_pair *pair, enum pin_fate fate, int64_t at, struct err *e)
{
    char *path = tried_path(state_dir);
    uint8_t salt[SALT_SIZE];
    json_t *j;
    bool ok = load(path, &j, salt, e);
    if (ok && j && memcmp(salt, pair->salt, SALT_SIZE) != 0) /* another file than the one looked into: its fingerprints say nothing to us */
        ok = err_set(e, RC_STATE, "PIN_MEMORY", "%s was replaced while dcvagent ran; nothing was sent", path);
    if (ok) {
        j = j ? j : nothing_tried(pair->salt);
        put_pair(json_object_get(j, "pairs"), pair_in(j, pair->hash), pair->hash, fate, at);
        ok = save(path, json_incref(j), e);
    }
    if (ok) {
        pair->fate = fate;
        pair->at = at;
    }
    json_decref(j);
    free(path);
    return ok;
}

bool pin_forgiven(const struct pin_pair *pair, int64_t said, int64_t used)
{
    return pair->fate == PIN_SENT && said != used && pair->at + ANSWER_S <= said;
}
