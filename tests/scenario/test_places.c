/* Where records go and who has to see them: CNAMEs, other places than the name, servers and resolvers of every kind. */
#include "tests/scenario/scene.h"

#define ONE_NAME "names = www.example.hk\nproduct = standard\n"

static void cname_into_our_zone(void **state)
{
    (void)state;
    world_put("www.example.hk", TYPE_CNAME, 300, "shop.example.com");
    world_put("shop.example.com", TYPE_A, 300, "192.0.2.80");
    config(.shop = ONE_NAME);
    walk("shop", TO_CONFIRM);
    txt_there("shop.example.com", "code-1");
    txt_gone("www.example.hk", NULL);
    import("shop", 199);
    run_gives(RC_OK);
    assert_int_equal(world_count(TYPE_TXT), 0);
}

static void cname_to_strangers(void **state)
{
    (void)state;
    world_zone("cdn.net", 300, "ns.cdn.net=192.0.2.70");
    world_put("www.example.hk", TYPE_CNAME, 300, "edge.cdn.net");
    config(.shop = ONE_NAME);
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    run_gives(RC_DELEGATION);
    said("CNAME_FOREIGN");
    assert_true(scene_heard("edge.cdn.net"));
    at("shop", "prepared", "");
    config(.shop = ONE_NAME "record_at = www.example.hk:_dcv");
    later(2 * MINUTE);
    run_gives(RC_LATER);
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    txt_there("_dcv.www.example.hk", "code-1");
}

static void cname_refused(void **state)
{
    (void)state;
    world_put("www.example.hk", TYPE_CNAME, 300, "shop.example.com");
    config(.shop = ONE_NAME "cname = refuse");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    run_gives(RC_DELEGATION);
    said("CNAME_REFUSED");
}

static void record_at_the_apex(void **state)
{
    (void)state;
    world_put("example.hk", TYPE_TXT, 86400, "v=spf1 -all");
    config(.ca = "record = apex", .shop = "names = a.b.example.hk c.example.hk\nproduct = multi-domain");
    walk("shop", TO_CONFIRM);
    txt_there("example.hk", "code-1");
    assert_int_equal(world_count(TYPE_TXT), 2); /* two names, one record; the SPF */
    import("shop", 199);
    run_gives(RC_OK);
    txt_gone("example.hk", "code-1");
    txt_there("example.hk", "v=spf1 -all");
}

static void code_for_shop(void *arg)
{
    (void)arg;
    struct store *s;
    struct err e = {0};
    assert_true(store_open(&s, scene_path("state"), true, &e));
    assert_true(inbox_put(s, "shop", "code", "", text_of("code-1"), 0, &e));
    store_close(s);
}

/* Looked for once more in the same run, a record for the apex does not land at the name. */
static void apex_not_found_twice(void **state)
{
    (void)state;
    world_put("example.hk", TYPE_CNAME, 300, "elsewhere.test");
    config(.ca = "record = apex", .shop = "names = a.b.example.hk\nproduct = standard",
           .more = "[zone example.hk]\nservers = 192.0.2.1 192.0.2.2\n[certificate slow]\nca = hand\nkey_type = p256\nnames = "
                   "www.example.com\nproduct = standard\n");
    run_gives(RC_LATER);
    hand("slow", "pin", "123456789");
    run_gives(RC_LATER);
    hand("slow", "code", "slow-1");
    hand("shop", "pin", "123456789");
    world_server("192.0.2.4")->stands = world_ms(); /* it keeps the run waiting */
    world_at(world_ms() + 10000, code_for_shop, NULL);
    run_gives(RC_DELEGATION);
    txt_there("example.com", "slow-1");
    txt_gone("a.b.example.hk", NULL);
    at("shop", "prepared", "");
}

static void several_places(void **state)
{
    (void)state;
    config(.ca = "record = name _dcv", .shop = ONE_NAME);
    walk("shop", TO_CONFIRM);
    txt_there("www.example.hk", "code-1");
    txt_there("_dcv.www.example.hk", "code-1");
    hand("shop", "cancel", "");
    run_gives(RC_LATER);
    assert_int_equal(world_count(TYPE_TXT), 0);
}

static void delegated_below_us(void **state)
{
    (void)state;
    world_zone("sub.example.hk", 60, "ns.sub.example.hk=192.0.2.60");
    config(.shop = "names = www.sub.example.hk\nproduct = standard");
    walk("shop", TO_CONFIRM); /* zones= matches by label, the cut below it is found */
    txt_there("www.sub.example.hk", "code-1");
    assert_int_equal(world_zone_of("www.sub.example.hk")->batches, 1);
}

static void no_provider(void **state)
{
    (void)state;
    world_zone("other.hk", 300, "ns.other.hk=192.0.2.70");
    config(.shop = "names = www.other.hk example.hk\nproduct = multi-domain");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    run_gives(RC_DELEGATION);
    said("NO_PROVIDER");
    at("shop", "prepared", ""); /* nobody is sent for a code that could not be published */
}

static void no_such_zone(void **state)
{
    (void)state;
    config(.shop = "names = www.nowhere.hk\nproduct = standard");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    run_gives(RC_DELEGATION);
}

static void discovery_is_dead(void **state)
{
    (void)state;
    world_server("192.0.2.7")->dead = true;
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    run_gives(RC_NET);
    said("servers=");
    world_server("192.0.2.7")->dead = false;
    later(2 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
}

static void inside_servers(void **state)
{
    (void)state;
    world_server("192.0.2.7")->dead = true;
    config(.more = "[zone example.hk]\nservers = 192.0.2.1 192.0.2.2");
    walk("shop", TO_CONFIRM);
    txt_there("example.hk", "code-1");
}

static void lame_secondary(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_server("192.0.2.2")->lame = true;
    hand("shop", "code", "code-1");
    scene_run(&(struct run_setup){0});
    world_server("192.0.2.2")->lame = false;
    later(2 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void ignored_secondary(void **state)
{
    (void)state;
    config(.verify = "settle = 0s\nignore = 192.0.2.2");
    walk("shop", TO_CODE);
    world_server("192.0.2.2")->lag = DAY * 1000;
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void second_address_unreachable(void **state)
{
    (void)state;
    world_zone("v6.hk", 300, "ns.v6.hk=192.0.2.61 ns.v6.hk=2001:db8::61");
    config(.shop = "names = www.v6.hk\nproduct = standard", .no_shop = false, .provider = "",
           .more = "[provider six]\ntype = memory\nzones = v6.hk");
    world_server("2001:db8::61")->dead = true;
    walk("shop", TO_CONFIRM); /* its other address answers */
}

static void resolvers_that_cannot_be_asked(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_server("192.0.2.8")->rcode = 5;
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm"); /* the other one is asked, and sees it */
}

static void no_resolver_can_be_asked(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_server("192.0.2.8")->dead = world_server("192.0.2.9")->dead = true;
    hand("shop", "code", "code-1");
    run_gives(RC_LATER); /* others may keep the zone's "does not exist" as long: no failure before that is over */
    at("shop", "published", "propagation");
    later(2 * HOUR);
    run_gives(RC_UNSEEN);
    said("192.0.2.8 does not answer (");
    world_server("192.0.2.8")->dead = false;
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void bogus_zone(void **state)
{
    (void)state;
    world_server("192.0.2.8")->bogus = world_server("192.0.2.9")->bogus = true;
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    run_gives(RC_DELEGATION);
    said("DNSSEC_BOGUS");
    at("shop", "prepared", "");
}

static void bogus_later(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_server("192.0.2.2")->lag = DAY * 1000;
    hand("shop", "code", "code-1");
    run_gives(RC_UNSEEN);
    world_server("192.0.2.2")->lag = 0;
    world_server("192.0.2.8")->bogus = world_server("192.0.2.9")->bogus = true;
    later(DAY);
    run_gives(RC_UNSEEN);
    said("bogus");
}

static void must_see_it(void **state)
{
    (void)state;
    config(.verify = "settle = 0s\nquorum = 1\nmust = 192.0.2.9");
    walk("shop", TO_CODE);
    world_server("192.0.2.9")->dead = true;
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    later(2 * HOUR);
    run_gives(RC_UNSEEN);
    said("192.0.2.9 does not answer (");
    world_server("192.0.2.9")->dead = false;
    world_server("192.0.2.8")->dead = true;
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scenario(cname_into_our_zone),
        scenario(cname_to_strangers),
        scenario(cname_refused),
        scenario(record_at_the_apex),
        scenario(apex_not_found_twice),
        scenario(several_places),
        scenario(delegated_below_us),
        scenario(no_provider),
        scenario(no_such_zone),
        scenario(discovery_is_dead),
        scenario(inside_servers),
        scenario(lame_secondary),
        scenario(ignored_secondary),
        scenario(second_address_unreachable),
        scenario(resolvers_that_cannot_be_asked),
        scenario(no_resolver_can_be_asked),
        scenario(bogus_zone),
        scenario(bogus_later),
        scenario(must_see_it),
    };
    return scenes(tests);
}
