/* The document that lies beside a certificate says what `evidence` shows. */
#include "tests/unit/store_tools.h"

#include "order/evidence.h"

static void document(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"from\":\"new\",\"to\":\"prepared\"}", "{}",
        "{\"host\":\"a\\\"b.example.hk\",\"views\":[{\"kind\":\"resolver\",\"at\":\"x\"}],\"name\":\"電子\"}"};
    struct store *s = open_store(true);
    struct err e = {0};
    char *text = evidence_document(s, "shop", "20261128-0f3a9c21d7");
    json_t *empty = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_array_size(json_object_get(empty, "lines")), 0);
    assert_non_null(json_object_get(empty, "lines"));
    json_decref(empty);
    free(text);
    for (size_t i = 0; i < 3; i++)
        assert_ok(evidence_put(s, "shop", "20261128-0f3a9c21d7", "state", lines[i], &e), e);
    assert_ok(evidence_put(s, "shop", "20261128-ffffffffff", "state", "{}", &e), e);
    text = evidence_document(s, "shop", "20261128-0f3a9c21d7");
    json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *shown = evidence_collect(s, "shop", "20261128-0f3a9c21d7");
    assert_int_equal(json_array_size(json_object_get(doc, "lines")), 3);
    assert_true(json_equal(doc, shown));
    assert_non_null(strstr(text, "\n{\"at\":")); /* a line each, for people with grep */
    json_decref(doc);
    json_decref(shown);
    free(text);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(document, fresh_dir, remove_dir)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
