/* PINs: kept as they were handed over, wiped, and what became of each try: across restarts, and without one being found in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "ca/portal/pin.h"

static char dir[] = "/tmp/dcv-pin-XXXXXX";

static int setup(void **state)
{
    (void)state;
    char keys[64];
    if (!mkdtemp(dir))
        return -1;
    snprintf(keys, sizeof keys, "%s/keys", dir);
    return mkdir(keys, 0700);
}

static void path_of(const char *what, char out[128])
{
    snprintf(out, 128, "%s/keys/%s.%s", dir, strcmp(what, "tried") == 0 ? "pins" : "shop", what);
}

static int clean(void **state)
{
    (void)state;
    char path[128];
    path_of("pin", path);
    unlink(path);
    path_of("tried", path);
    unlink(path);
    return 0;
}

static int teardown(void **state)
{
    char keys[64];
    clean(state);
    snprintf(keys, sizeof keys, "%s/keys", dir);
    return rmdir(keys) + rmdir(dir);
}

static void digits(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        bool ok;
    } rows[] = {
        {"1234567890123456", true},   {"1234 5678 9012 3456", true},  {" 1234\t567890123456 \r\n", true}, {"123456789012345", false},
        {"12345678901234567", false}, {"1234-5678-9012-3456", false}, {"123456789012345x", false},        {"", false},
        {"１234567890123456", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct secret typed = {0}, pin = {0};
        struct err e = {0};
        secret_set(&typed, rows[i].typed, strlen(rows[i].typed));
        assert_int_equal(pin_digits(&typed, &pin, &e), rows[i].ok);
        if (rows[i].ok)
            assert_string_equal((char *)pin.p, "1234567890123456");
        else {
            assert_string_equal(e.code, "PIN_DIGITS");
            assert_null(strstr(e.text, "1234"));
        }
        secret_free(&typed);
        secret_free(&pin);
    }
}

static void the_pin(struct secret *pin, const char *text)
{
    *pin = (struct secret){0};
    secret_set(pin, text, strlen(text));
}

static void kept_and_wiped(void **state)
{
    (void)state;
    struct secret pin, found = {0};
    char reference[REFERENCE_DIGITS + 1], path[128];
    struct stat st;
    the_pin(&pin, "1234567890123456");
    assert_true(pin_kept(dir, "shop", reference, &found, NULL));
    assert_string_equal(reference, "");
    assert_int_equal(found.n, 0);
    assert_true(pin_keep(dir, "shop", "123456789", &pin, NULL));
    path_of("pin", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(pin_kept(dir, "shop", reference, &found, NULL));
    assert_string_equal(reference, "123456789");
    assert_string_equal((char *)found.p, "1234567890123456");
    char hard[128];
    path_of("tried", hard); /* a second name of the same file: what does wiping leave there? */
    assert_int_equal(link(path, hard), 0);
    assert_true(pin_wipe(dir, "shop", NULL));
    assert_int_equal(access(path, F_OK), -1);
    char *text;
    size_t n;
    assert_true(fs_read(hard, 100, &text, &n, NULL));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(text[i], 0);
    free(text);
    unlink(hard);
    assert_true(pin_wipe(dir, "shop", NULL)); /* none there */
    secret_free(&pin);
    secret_free(&found);
}

static void a_damaged_file(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "123456789", "123456789 123456789012345\n", "12345678 91234567890123456\n",
                                        "123456789 1234567890123456"};
    char path[128], reference[REFERENCE_DIGITS + 1];
    path_of("pin", path);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct secret found = {0};
        struct err e = {0};
        assert_true(fs_replace(path, texts[i], strlen(texts[i]), 0600, NULL));
        assert_false(pin_kept(dir, "shop", reference, &found, &e));
        assert_string_equal(e.code, "PIN_FILE");
        assert_int_equal(found.n, 0);
    }
}

static enum pin_fate fate(const char *reference, const char *text)
{
    struct secret pin;
    struct pin_pair pair;
    the_pin(&pin, text);
    assert_true(pin_find(dir, reference, &pin, &pair, NULL));
    secret_free(&pin);
    return pair.fate;
}

static void note(const char *reference, const char *text, enum pin_fate is)
{
    struct secret pin;
    struct pin_pair pair;
    the_pin(&pin, text);
    assert_true(pin_find(dir, reference, &pin, &pair, NULL));
    assert_true(pin_note(dir, &pair, is, clock_now(), NULL));
    assert_int_equal(pair.fate, is);
    secret_free(&pin);
}

static void what_was_tried(void **state)
{
    (void)state;
    static const char a[] = "1111222233334444", b[] = "5555666677778888";
    assert_int_equal(fate("123456789", a), PIN_NEW);
    note("123456789", a, PIN_SENT);
    assert_int_equal(fate("123456789", a), PIN_SENT);
    assert_int_equal(fate("123456789", b), PIN_NEW);
    assert_int_equal(fate("987654321", a), PIN_NEW); /* the same PIN for another application */
    note("123456789", a, PIN_REFUSED);
    note("123456789", b, PIN_PROVEN);
    assert_int_equal(fate("123456789", a), PIN_REFUSED); /* after another one too: rewritten files do not help */
    assert_int_equal(fate("123456789", b), PIN_PROVEN);
    note("987654321", a, PIN_SENT);
    note("987654321", a, PIN_NEW); /* certainly not sent */
    assert_int_equal(fate("987654321", a), PIN_NEW);
}

/* Who hands a PIN over lets it be tried once more, if only its answer was lost: once, by whatever clock. */
static void forgiven(void **state)
{
    (void)state;
    enum { SENT_AT = 1000000, A_DAY = 86400 };
    static const struct {
        enum pin_fate fate;
        int64_t said, used;
        bool is;
    } rows[] = {
        {PIN_SENT, 0, 0, false}, /* from pin_file: nobody handed it over */
        {PIN_SENT, SENT_AT, 0, false},
        {PIN_SENT, SENT_AT + 60, 0, false}, /* its answer may still have been on its way */
        {PIN_SENT, SENT_AT + 120, 0, true},
        {PIN_SENT, SENT_AT + 120, SENT_AT - 120, true},
        {PIN_SENT, SENT_AT - 120, SENT_AT - 120, false},
        {PIN_SENT, SENT_AT + 600, SENT_AT + 600, false},     /* the clock went back 10 minutes between `pin` and the login */
        {PIN_SENT, SENT_AT + A_DAY, SENT_AT + A_DAY, false}, /* at `pin` it was a day ahead */
        {PIN_SENT, SENT_AT + 120, SENT_AT + A_DAY, true},    /* and is right again at the next one */
        {PIN_REFUSED, SENT_AT + 120, 0, false},
        {PIN_PROVEN, SENT_AT + 120, 0, false},
    };
    struct secret pin;
    struct pin_pair pair;
    the_pin(&pin, "1111222233334444");
    assert_true(pin_find(dir, "123456789", &pin, &pair, NULL));
    assert_int_equal(pair.at, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(pin_note(dir, &pair, rows[i].fate, SENT_AT, NULL));
        assert_true(pin_find(dir, "123456789", &pin, &pair, NULL));
        assert_int_equal(pair.at, SENT_AT);
        assert_int_equal(pin_forgiven(&pair, rows[i].said, rows[i].used), rows[i].is);
    }
    secret_free(&pin);
}

/* Whatever else was tried in the meantime: a memory that is full forgets what was good before what was refused. */
static void refused_for_good(void **state)
{
    (void)state;
    struct secret pin;
    struct pin_pair pair;
    char path[128], *text, *more;
    size_t n;
    struct str all = STR_INIT(1 << 18);
    note("123456789", "1111222233334444", PIN_REFUSED);
    path_of("tried", path);
    assert_true(fs_read(path, 65536, &text, &n, NULL));
    more = strrchr(text, ']');
    str_put(&all, text, (size_t)(more - text));
    for (unsigned i = 1; i < 1000; i++)
        str_fmt(&all, ",{\"hash\":\"%064x\",\"fate\":\"%s\",\"at\":1}", i, i % 3 ? "sent" : "proven");
    str_add(&all, more);
    assert_true(fs_replace(path, str_text(&all), all.n, 0600, NULL));
    the_pin(&pin, "5555666677778888");
    assert_true(pin_find(dir, "123456789", &pin, &pair, NULL));
    for (unsigned i = 0; i < 5; i++) {
        snprintf(pair.hash, sizeof pair.hash, "%064x", 5000 + i);
        assert_true(pin_note(dir, &pair, PIN_SENT, 2, NULL));
    }
    assert_int_equal(fate("123456789", "1111222233334444"), PIN_REFUSED);
    free(text);
    assert_true(fs_read(path, 1 << 18, &text, &n, NULL));
    assert_non_null(strstr(text, "0000000000000001\""));
    assert_null(strstr(text, "0000000000000003\"")); /* the oldest that proved good */
    free(text);
    str_free(&all);
    secret_free(&pin);
}

/* The first pairs of all, looked up side by side before one of them is noted. */
static void *look_up(void *data)
{
    struct pin_pair *pair = data;
    struct secret pin;
    the_pin(&pin, "1111222233334444");
    bool ok = pin_find(dir, "123456789", &pin, pair, NULL);
    secret_free(&pin);
    return ok ? pair : NULL;
}

static void side_by_side(void **state)
{
    (void)state;
    enum { WALKS = 4 };
    pthread_t thread[WALKS];
    struct pin_pair pair[WALKS];
    for (int i = 0; i < WALKS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, look_up, &pair[i]), 0);
    for (int i = 0; i < WALKS; i++) {
        void *found;
        assert_int_equal(pthread_join(thread[i], &found), 0);
        assert_non_null(found);
    }
    for (int i = 0; i < WALKS; i++) {
        assert_int_equal(pair[i].fate, PIN_NEW);
        assert_string_equal(pair[i].hash, pair[0].hash);
        assert_true(pin_note(dir, &pair[i], PIN_SENT, clock_now(), NULL));
    }
    assert_int_equal(fate("123456789", "1111222233334444"), PIN_SENT);
}

/* Neither the PIN nor anything a table of all PINs would find. */
static void nothing_to_read(void **state)
{
    (void)state;
    char path[128], *text;
    size_t n;
    struct stat st;
    struct pin_pair one, two;
    struct secret pin;
    note("123456789", "1111222233334444", PIN_REFUSED);
    path_of("tried", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(fs_read(path, 65536, &text, &n, NULL));
    assert_null(strstr(text, "1111222233334444"));
    assert_null(strstr(text, "123456789"));
    free(text);
    the_pin(&pin, "1111222233334444");
    assert_true(pin_find(dir, "123456789", &pin, &one, NULL));
    unlink(path);
    assert_true(pin_find(dir, "123456789", &pin, &two, NULL));
    assert_string_not_equal(one.hash, two.hash); /* another salt */
    secret_free(&pin);
}

static void a_memory_that_is_damaged(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "{}",
                                        "{\"salt\":\"00\",\"pairs\":[]}",
                                        "{\"salt\":\"000102030405060708090a0b0c0d0e0f\"}",
                                        "[1]",
                                        "{\"salt\":\"000102030405060708090a0b0c0d0e0f\",\"pairs\":["};
    char path[128];
    struct secret pin;
    the_pin(&pin, "1111222233334444");
    path_of("tried", path);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pin_pair pair;
        struct err e = {0};
        assert_true(fs_replace(path, texts[i], strlen(texts[i]), 0600, NULL));
        assert_false(pin_find(dir, "123456789", &pin, &pair, &e)); /* nobody knows: nothing is tried */
        assert_string_equal(e.code, "PIN_MEMORY");
    }
    /* a word that only a later version knows is not one to try */
    struct pin_pair pair;
    unlink(path);
    note("123456789", "1111222233334444", PIN_SENT);
    char *text;
    size_t n;
    assert_true(fs_read(path, 65536, &text, &n, NULL));
    memcpy(strstr(text, "\"sent\""), "\"what\"", 6);
    assert_true(fs_replace(path, text, n, 0600, NULL));
    free(text);
    assert_true(pin_find(dir, "123456789", &pin, &pair, NULL));
    assert_int_equal(pair.fate, PIN_REFUSED);
    /* replaced between the look and the try */
    assert_true(fs_replace(path, "{\"salt\":\"000102030405060708090a0b0c0d0e0f\",\"pairs\":[]}", 55, 0600, NULL));
    assert_false(pin_note(dir, &pair, PIN_SENT, clock_now(), NULL));
    secret_free(&pin);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits),
        cmocka_unit_test_teardown(kept_and_wiped, clean),
        cmocka_unit_test_teardown(a_damaged_file, clean),
        cmocka_unit_test_teardown(what_was_tried, clean),
        cmocka_unit_test_teardown(forgiven, clean),
        cmocka_unit_test_teardown(refused_for_good, clean),
        cmocka_unit_test_teardown(side_by_side, clean),
        cmocka_unit_test_teardown(nothing_to_read, clean),
        cmocka_unit_test_teardown(a_memory_that_is_damaged, clean),
    };
    return cmocka_run_group_tests_name("portal_pin", tests, setup, teardown);
}
