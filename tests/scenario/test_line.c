/* A CA that takes one call at a time, as a portal does: what stands in line, and what a person says meanwhile. It is a manual CA that takes its time to
 * look at one of its orders, and whose submissions are counted. */
#include "base/fs.h"
#include "ca/manual.h"
#include "tests/scenario/scene.h"

static unsigned submissions;

static const struct ca_rules *line_rules(const struct ca *c)
{
    static struct ca_rules rules;
    rules = *manual_ca.rules(c);
    rules.parallel = 1;
    return &rules;
}

static void ready(void *arg)
{
    op_settle(arg, NULL);
}

static void forget(struct op *op)
{
    world_drop(op);
}

static void line_look(struct ca *c, struct ca_case *k)
{
    if (strcmp(k->o->cert, "two") != 0) {
        manual_ca.look(c, k);
        return;
    }
    op_start(&k->op, forget);
    bool late = strstr(k->o->handle, "submitted");
    k->stage = late ? CA_ISSUING : CA_PERSON;
    k->waits = late ? "certificate" : "code";
    world_at(world_ms() + 20000, ready, &k->op);
}

static void line_submit(struct ca *c, struct ca_case *k)
{
    submissions++;
    manual_ca.submit(c, k);
}

static struct ca_ops line_ca;
const struct ca_ops *const ca_types[] = {&manual_ca, &line_ca, NULL};

const struct ca_ops *ca_type(const char *type)
{
    for (size_t i = 0; ca_types[i]; i++)
        if (type && strcmp(ca_types[i]->type, type) == 0)
            return ca_types[i];
    return NULL;
}

static void pasted_by_hand(void *arg)
{
    (void)arg;
    struct store *s;
    struct err e = {0};
    assert_true(store_open(&s, scene_path("state"), true, &e));
    assert_true(inbox_put(s, "one", "submitted", "", text_of(""), 0, &e));
    store_close(s);
}

/* Whose turn to submit has not come yet, and who was faster by hand: the CSR is not given to the CA a second time. */
static void submitted_while_in_line(void **state)
{
    (void)state;
    char agent[512];
    struct err e = {0};
    struct strs one = {0};
    assert_true(fs_replace(scene_path("backup.pass"), "secret words", 12, 0600, &e));
    assert_true(fs_folder(scene_path("backup"), 0700, &e));
    snprintf(agent, sizeof agent, "key_backup_dir = %s\nkey_backup_password_file = %s", scene_path("backup"), scene_path("backup.pass"));
    config(.agent = agent, .no_shop = true,
           .more = "[ca line]\ntype = line\n"
                   "[certificate one]\nca = line\nkey_type = p256\nnames = www.example.hk\nproduct = standard\n"
                   "[certificate two]\nca = line\nkey_type = p256\nnames = www.example.com\nproduct = standard\n");
    strs_add(&one, "one");
    run_with(RC_LATER, .names = &one); /* begun first, it stands before the other */
    later(MINUTE);
    run_gives(RC_LATER);
    hand("one", "pin", "123456789");
    hand("two", "pin", "123456789");
    run_gives(RC_LATER);
    hand("one", "code", "code-1");
    hand("two", "submitted", "");
    run_gives(RC_LATER);
    at("one", "visible", "confirm");
    hand("one", "confirmed", "");
    submissions = 0;
    world_at(world_ms() + 10000, pasted_by_hand, NULL); /* two is looked at, one is through with its key's backup */
    run_gives(RC_LATER);
    at("two", "submitted", "certificate");
    at("one", "submitted", "certificate");
    assert_int_equal(submissions, 0);
    strs_free(&one);
}

int main(void)
{
    line_ca = manual_ca;
    line_ca.type = "line";
    line_ca.rules = line_rules;
    line_ca.look = line_look;
    line_ca.submit = line_submit;
    const struct CMUnitTest tests[] = {
        scenario(submitted_while_in_line),
    };
    return scenes(tests);
}
