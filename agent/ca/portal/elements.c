/* elements.c: what an element of HTML is: shown or not, a line of its own, a control, a button. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "ca/portal/html_impl.h"

static bool one_of(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = words; n && *p;) {
        size_t len = strcspn(p, "|");

        if (len == n && strncasecmp(p, word, n) == 0)
            return true;
        p += len + (p[len] == '|');
    }
    return false;
}

bool is_element(const xmlNode *n, const char *names)
{
    return n && n->type == XML_ELEMENT_NODE && one_of(names, (const char *)n->name);
}

char *attr(const xmlNode *n, const char *name)
{
    xmlChar *v = n && n->type == XML_ELEMENT_NODE ? libxml.xmlGetProp(n, (const xmlChar *)name) : NULL;
    char *copy = mem_str((char *)v);

    libxml_free(v);
    return copy;
}

bool attr_has(const xmlNode *n, const char *name)
{
    return n && n->type == XML_ELEMENT_NODE && libxml.xmlHasProp(n, (const xmlChar *)name);
}

bool attr_same(const xmlNode *n, const char *name, const char *value)
{
    char *v = attr(n, name);
    bool same = v && strcmp(v, value) == 0;

    free(v);
    return same;
}

bool attr_is(const xmlNode *n, const char *name, const char *value)
{
    char *v = attr(n, name);
    bool is = v && strcasecmp(v, value) == 0;

    free(v);
    return is;
}

/* An input without a type, or of one nobody knows, is a text. */
bool is_type(const xmlNode *n, const char *types)
{
    char *type = is_element(n, "input") ? attr(n, "type") : NULL;
    bool is = is_element(n, "input") && one_of(types, type && *type ? type : "text");

    free(type);
    return is;
}

static bool styled_away(const xmlNode *n)
{
    char *style = attr(n, "style"), *to = style;
    bool away;

    if (!style)
        return false;
    for (const char *from = style; *from; from++)
        if (!strchr(" \t\r\n\f", *from))
            *to++ = *from;
    *to = '\0';
    away = strcasestr(style, "display:none") || strcasestr(style, "visibility:hidden");
    free(style);
    return away;
}

bool is_shown(const xmlNode *n)
{
    return !is_element(n, "head|script|style|template|noscript|noframes|title|object|iframe|svg|math|datalist") && !is_type(n, "hidden") &&
           !attr_has(n, "hidden") && !styled_away(n);
}

bool is_hidden(const xmlNode *n)
{
    while (n && n->type == XML_ELEMENT_NODE && is_shown(n))
        n = n->parent;
    return n && n->type == XML_ELEMENT_NODE;
}

bool is_inert(const xmlNode *n)
{
    return above(n, "template|noscript|noframes|script|style") != NULL;
}

bool is_block(const xmlNode *n)
{
    return !is_element(
        n, "a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|img|ins|kbd|label|mark|nobr|q|s|samp|small|span|strike|"
           "strong|sub|sup|time|tt|u|var|wbr|input|select|textarea|button|output");
}

bool is_control(const xmlNode *n)
{
    return is_element(n, "input|select|textarea|button") && !is_type(n, "hidden");
}

bool is_button(const xmlNode *n)
{
    return is_type(n, "submit|image") || (is_element(n, "button") && !attr_is(n, "type", "button") && !attr_is(n, "type", "reset"));
}

static bool is_first_legend(const xmlNode *n)
{
    if (!is_element(n, "legend"))
        return false;
    while ((n = n->prev))
        if (is_element(n, "legend"))
            return false;
    return true;
}

/* A fieldset that is switched off does not switch off what is in its legend. */
bool is_disabled(const xmlNode *n)
{
    const xmlNode *in = n;

    if (attr_has(n, "disabled"))
        return true;
    for (const xmlNode *set = n->parent; set && set->type == XML_ELEMENT_NODE; in = set, set = set->parent)
        if (is_element(set, "fieldset") && attr_has(set, "disabled") && !is_first_legend(in))
            return true;
    return false;
}

xmlNode *above(const xmlNode *n, const char *names)
{
    while (n && !is_element(n, names))
        n = n->parent;
    return (xmlNode *)(uintptr_t)n;
}

xmlNode *next_in(const xmlNode *n, const xmlNode *top)
{
    if (n->type == XML_ELEMENT_NODE && n->children)
        return n->children;
    while (n && n != top && !n->next)
        n = n->parent;
    return n && n != top ? n->next : NULL;
}
