/* XML at fixed places, sound and otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "providers/cloud/xml.h"

static const char document[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <no> --><List xmlns=\"https://a.example/>\" a='\"'>\n"
                               " <Item><Name>a &amp; &#98;&#x4e;&#x96fb;&lt;&gt;&quot;&apos;</Name><Empty/></Item>\n"
                               " <Other>no</Other><!-- between -->\n"
                               " <Item><Name>\n  second </Name><Deep><Name>third</Name></Deep></Item>\n"
                               "</List>\n";

static void places_are_found(void **state)
{
    (void)state;
    char name[16];
    struct xml in, rest, item, at;
    assert_true(xml_open(document, strlen(document), name, sizeof name, &in));
    assert_string_equal(name, "List");
    rest = in;
    assert_true(xml_next(&rest, "Item", &item));
    char *text = xml_text(item, "Name");
    assert_string_equal(text, "a & bN\xe9\x9b\xbb<>\"'");
    free(text);
    text = xml_text(item, "Empty");
    assert_string_equal(text, "");
    free(text);
    assert_null(xml_text(item, "Deep/Name"));
    assert_true(xml_next(&rest, "Item", &item));
    text = xml_text(item, "Name");
    assert_string_equal(text, "second");
    free(text);
    text = xml_text(item, "Deep/Name");
    assert_string_equal(text, "third");
    free(text);
    assert_null(xml_text(item, "Deep")); /* elements, no text */
    assert_false(xml_next(&rest, "Item", &item));
    unsigned n = 0;
    for (rest = in; xml_next(&rest, NULL, &item);)
        n++;
    assert_int_equal(n, 3);
    assert_true(xml_find(in, "Item/Deep", &at) == false); /* the first Item has none */
}

static void other_documents_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "text",
                                      "<a>",
                                      "</a>",
                                      "<a></b>",
                                      "<a><b></a></b>",
                                      "<a></a><b></b>",
                                      "<a></a>text",
                                      "<a b=\"></a>",
                                      "<a <b></a>",
                                      "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
                                      "<a><![CDATA[x]]></a>",
                                      "<a><!-- </a>",
                                      "<?xml <a></a>",
                                      "<a",
                                      "<",
                                      "<>",
                                      "<aaaaaaaaaaaaaaaaa></aaaaaaaaaaaaaaaaa>"};
    char name[16];
    struct xml in;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (xml_open(bad[i], strlen(bad[i]), name, sizeof name, &in))
            fail_msg("%s", bad[i]);
    assert_false(xml_open("<a>\0</a>", 8, name, sizeof name, &in));
    char deep[17 * 7 + 1] = "";
    for (int i = 0; i < 17; i++)
        strcat(deep, "<a>");
    for (int i = 0; i < 17; i++)
        strcat(deep, "</a>");
    assert_false(xml_open(deep, strlen(deep), name, sizeof name, &in));
    assert_true(xml_open(deep + 3, strlen(deep) - 7, name, sizeof name, &in));
}

static void unknown_entities_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"&x;",  "&",     "&;",  "&#;", "&#x;", "&#0;", "&#xd800;", "&#x110000;", "&#99999999999;",
                                      "&#12", "&# 1;", "&amp"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (xml_text((struct xml){bad[i], strlen(bad[i])}, ""))
            fail_msg("%s", bad[i]);
    struct str out = STR_INIT(64);
    xml_escape(&out, "a<b>&\"");
    assert_string_equal(str_text(&out), "a&lt;b&gt;&amp;\"");
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_found),
        cmocka_unit_test(other_documents_are_refused),
        cmocka_unit_test(unknown_entities_are_refused),
    };
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
