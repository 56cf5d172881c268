/* exec, lego-exec, acmesh: what programs are given, what is believed of what they answer, and what is never told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf_tools.h"
#include "net/net.h"
#include "providers/provider.h"

enum { MAX = 4 };

static struct net *net;
static struct provider *provider;
static const struct provider_ops *ops;
static struct conf *conf;
static bool waiting;
static struct err last;

static void finished(struct op *op, const struct err *e)
{
    (void)op;
    last = e ? *e : (struct err){0};
    waiting = false;
}

static bool turn(void *arg)
{
    (void)arg;
    return waiting;
}

static void run(void)
{
    waiting = true;
    loop_run(net_loop(net), turn, NULL);
}

/* $D in text stands for the folder. */
static char *expand(const char *text)
{
    struct str s = STR_INIT(1 << 16);
    char *folder = conf_path_of("");
    for (const char *d; (d = strstr(text, "$D/")); text = d + 3) {
        str_put(&s, text, (size_t)(d - text));
        str_add(&s, folder);
    }
    str_add(&s, text);
    free(folder);
    return str_take(&s);
}

static void script(const char *name, const char *text)
{
    char *full = expand(text);
    conf_put_text(name, 0755, full);
    free(full);
}

static struct conf *load(const char *type, const char *more)
{
    struct conf_module modules[] = {{.kind = "provider", .type = type}, {0}};
    char *text = mem_fmt("[provider p]\ntype = %s\nzones = example.hk\n%s", type, more), *full = expand(text);
    ops = provider_type(type);
    modules[0].keys = ops->keys;
    modules[0].examine = ops->examine;
    struct conf *c = conf_load_text("t.ini", full, strlen(full), modules);
    free(full);
    free(text);
    return c;
}

static void open_with(const char *type, const char *more)
{
    struct err e = {0};
    conf = load(type, more);
    conf_expect_clean(conf);
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, &e);
    assert_non_null(net);
    if (!ops->open(&provider, conf_provider(conf, "p"), net, &e))
        fail_msg("%s", e.text);
}

static void close_all(void)
{
    ops->close(provider);
    net_free(net);
    conf_free(conf);
    provider = NULL;
}

static struct batch batch;
static struct change changes[MAX];
static struct record records[MAX];

static void start(size_t n)
{
    static const char *const owners[MAX] = {"a.example.hk", "b.example.hk", "c.example.hk", "example.hk"};
    static const char *const values[MAX] = {"-first", "second", "third", "fourth"};
    for (size_t i = 0; i < n; i++) {
        if (!records[i].value.p)
            records[i].value = (struct bytes){(const uint8_t *)values[i], strlen(values[i])};
        records[i].owner = owners[i];
        records[i].type = records[i].type ? records[i].type : TYPE_TXT;
        records[i].ttl = 60;
        changes[i] = (struct change){.add = i != 1, .rec = &records[i], .ref = i == 1 ? "ref-1" : NULL};
    }
    batch = (struct batch){.op = {.done = finished}, .zone = "example.hk", .c = changes, .n = n};
    ops->apply(provider, &batch);
}

static void apply(size_t n)
{
    start(n);
    run();
    memset(records, 0, sizeof records);
}

static const char *text_of(const char *name)
{
    static char *text;
    struct err e = {0};
    size_t n;
    char *path = conf_path_of(name);
    free(text);
    text = NULL;
    if (!fs_read(path, 1 << 20, &text, &n, &e))
        text = mem_str("");
    free(path);
    return text;
}

/* --- exec ---------------------------------------------------------------------------------------------------------------------------------- */

#define DONE "{\"version\":1,\"results\":[{\"result\":\"done\",\"ref\":\"r1\"}]}"

static void test_exec_protocol(void **state)
{
    (void)state;
    static const uint8_t octets[] = {0xff, 0, 'x'};
    script("program", "#!/bin/sh\ncat > $D/in\nprintf '%s|' \"$@\" > $D/args\nenv | sort > $D/env\necho words >&2\n"
                      "echo '{\"version\":1,\"results\":[{\"result\":\"done\",\"ref\":\"r1\"},{\"result\":\"done\"},"
                      "{\"result\":\"refused\",\"error\":\"not \\u001b[31mallowed\"},{\"result\":\"unsure\"}]}'\n");
    conf_put_text("env", 0600, "# comment\n\nexport DNS_TOKEN='canary one'\nOTHER = no\n");
    conf = load("exec", "command = $D/program -x y\nenv_file = $D/env\n");
    assert_int_equal(conf->n_fault, 1);
    assert_string_equal(conf->fault[0].key, "env_file");
    assert_non_null(strstr(conf->fault[0].text, "env:4: this is no NAME=value"));
    assert_null(strstr(conf->fault[0].text, "OTHER"));
    conf_free(conf);
    conf_put_text("env", 0600, "# comment\n\n  export DNS_TOKEN='canary one'  \nOTHER=\"\nEMPTY=\n");
    open_with("exec", "command = $D/program -x y\nenv_file = $D/env\n");
    records[2].value = (struct bytes){octets, sizeof octets};
    records[3].type = TYPE_CNAME;
    apply(4);
    assert_int_equal(changes[0].result, CHANGE_DONE);
    assert_string_equal(changes[0].new_ref, "r1");
    assert_int_equal(changes[1].result, CHANGE_DONE);
    assert_int_equal(changes[2].result, CHANGE_REFUSED);
    assert_non_null(strstr(changes[2].err.text, "not \\x1b[31mallowed"));
    assert_string_equal(changes[2].err.where, "c.example.hk");
    assert_int_equal(changes[3].result, CHANGE_UNSURE);
    assert_string_equal(last.code, "PROGRAM_FAILED");
    assert_string_equal(text_of("args"), "-x|y|");
    assert_string_equal(
        text_of("in"),
        "{\"version\":1,\"action\":\"apply\",\"zone\":\"example.hk\",\"changes\":["
        "{\"op\":\"add\",\"owner\":\"a.example.hk\",\"type\":\"TXT\",\"value\":\"-first\",\"value_base64\":\"LWZpcnN0\",\"ttl\":60,\"ref\":"
        "\"\"},"
        "{\"op\":\"delete\",\"owner\":\"b.example.hk\",\"type\":\"TXT\",\"value\":\"second\",\"value_base64\":\"c2Vjb25k\",\"ttl\":60,"
        "\"ref\":\"ref-1\"},"
        "{\"op\":\"add\",\"owner\":\"c.example.hk\",\"type\":\"TXT\",\"value\":null,\"value_base64\":\"/wB4\",\"ttl\":60,\"ref\":\"\"},"
        "{\"op\":\"add\",\"owner\":\"example.hk\",\"type\":\"CNAME\",\"value\":\"fourth\",\"value_base64\":\"Zm91cnRo\",\"ttl\":60,\"ref\":"
        "\"\"}]}");
    assert_non_null(strstr(text_of("env"), "DNS_TOKEN=canary one\nEMPTY=\nOTHER=\"\n"));
    assert_null(strstr(text_of("env"), "HOME="));
    close_all();
}

/* What a program answers, and what becomes of one change. */
static const struct {
    const char *script; /* behind `cat >/dev/null` */
    enum change_result result;
    const char *code, *says;
} answers[] = {
    {"echo '" DONE "'", CHANGE_DONE, NULL, NULL},
    {"echo ok", CHANGE_UNSURE, "PROGRAM_ANSWER", "no JSON"},
    {"true", CHANGE_UNSURE, "PROGRAM_ANSWER", "empty"},
    {"echo '" DONE "' '" DONE "'", CHANGE_UNSURE, "PROGRAM_ANSWER", "no JSON"},
    {"echo '{\"version\":1,\"results\":[]}'", CHANGE_UNSURE, "PROGRAM_ANSWER", "one result for each"},
    {"echo '{\"version\":1,\"results\":[{\"result\":\"done\"},{\"result\":\"done\"}]}'", CHANGE_UNSURE, "PROGRAM_ANSWER",
     "one result for each"},
    {"echo '{\"version\":1,\"results\":{\"result\":\"done\"}}'", CHANGE_UNSURE, "PROGRAM_ANSWER", "no list"},
    {"echo '{\"results\":[{\"result\":\"done\",\"result\":\"refused\"}]}'", CHANGE_UNSURE, "PROGRAM_ANSWER", "no JSON"},
    {"echo '{\"results\":[{\"result\":\"yes\"}]}'", CHANGE_UNSURE, "PROGRAM_ANSWER", "none of done"},
    {"echo '{\"results\":[\"done\"]}'", CHANGE_UNSURE, "PROGRAM_ANSWER", "none of done"},
    {"echo '[]'", CHANGE_UNSURE, "PROGRAM_ANSWER", "no list"},
    {"printf '{\"results\":[{\"result\":\"done\",\"ref\":\"'; head -c 192 /dev/zero | tr '\\0' r; echo '\"}]}'", CHANGE_UNSURE,
     "PROGRAM_ANSWER", "191"},
    {"head -c 100000 /dev/zero | tr '\\0' '['", CHANGE_UNSURE, "PROGRAM_ANSWER", "no JSON"},
    {"head -c 3000000 /dev/urandom", CHANGE_UNSURE, "PROGRAM_ANSWER", "longer than 1 MiB"},
    {"echo '" DONE "'; exit 3", CHANGE_UNSURE, "PROGRAM_FAILED", "ended with 3 (it said nothing)"},
    {"echo first >&2; echo secret: canary-two. >&2; exit 1", CHANGE_UNSURE, "PROGRAM_FAILED", "(first\\x0asecret: ***.)"},
    {"kill -9 $$", CHANGE_UNSURE, "PROGRAM_FAILED", "ended with 137"},
    {"head -c 6000 /dev/zero | tr '\\0' w >&2; exit 1", CHANGE_UNSURE, "PROGRAM_FAILED", "www"},
    {"exec /nonexistent", CHANGE_UNSURE, "PROGRAM_FAILED", "ended with 127"},
};

static void test_exec_answers(void **state)
{
    (void)state;
    conf_put_text("env", 0600, "TOKEN=canary-two\nSHORT=ok\n");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char *text = mem_fmt("#!/bin/sh\ncat >/dev/null\n%s\n", answers[i].script);
        script("program", text);
        free(text);
        open_with("exec", "command = $D/program\nenv_file = $D/env\n");
        apply(1);
        if (changes[0].result != answers[i].result || (answers[i].code && strcmp(last.code ? last.code : "", answers[i].code) != 0) ||
            (answers[i].says && !strstr(last.text, answers[i].says)))
            fail_msg("%s: %d %s %s", answers[i].script, changes[0].result, last.code, last.text);
        assert_null(strstr(last.text, "canary"));
        assert_true(answers[i].code || last.rc == RC_OK);
        assert_true(!answers[i].code || changes[0].err.again);
        close_all();
    }
}

static void test_not_started(void **state)
{
    (void)state;
    script("program", "#!/nonexistent/interpreter\n");
    open_with("exec", "command = $D/program\n");
    apply(2);
    assert_string_equal(last.code, "PROGRAM_START");
    assert_int_equal(changes[0].result, CHANGE_REFUSED);
    assert_int_equal(changes[1].result, CHANGE_REFUSED);
    close_all();
}

static void read_sets(struct lookup *l, struct rrset *sets, size_t n)
{
    *l = (struct lookup){.op = {.done = finished}, .zone = "example.hk", .set = sets, .n = n};
    ops->read(provider, l);
    run();
}

static void test_exec_read(void **state)
{
    (void)state;
    struct rrset sets[2] = {{.owner = "a.example.hk"}, {.owner = "b.example.hk"}};
    struct lookup l;
    script("program",
           "#!/bin/sh\ncat > $D/in\necho '{\"sets\":[{\"owner\":\"b.example.hk\",\"cname\":true},{\"owner\":\"a.example.hk\",\"ttl\":300,"
           "\"values\":[\"one\",{\"base64\":\"/wB4\"},\"\"]}]}'\n");
    open_with("exec", "command = $D/program\n");
    read_sets(&l, sets, 2);
    assert_int_equal(last.rc, RC_OK);
    assert_string_equal(text_of("in"),
                        "{\"version\":1,\"action\":\"read\",\"zone\":\"example.hk\",\"owners\":[\"a.example.hk\",\"b.example.hk\"]}");
    assert_int_equal(sets[0].n, 3);
    assert_int_equal(sets[0].ttl, 300);
    assert_true(rrset_has(&sets[0], (struct bytes){(const uint8_t *)"\xff\0x", 3}));
    assert_true(rrset_has(&sets[0], (struct bytes){(const uint8_t *)"one", 3}) && rrset_has(&sets[0], (struct bytes){NULL, 0}));
    assert_true(sets[1].cname && sets[1].n == 0);
    close_all();

    static const char *const bad[] = {
        "{\"sets\":[]}",
        "{\"sets\":[{\"owner\":\"a.example.hk\",\"values\":[\"x\"]}]}",
        "{\"sets\":[{\"owner\":\"a.example.hk\",\"values\":[7]},{\"owner\":\"b.example.hk\"}]}",
        "{\"sets\":[{\"owner\":\"a.example.hk\",\"values\":[{\"base64\":\"*\"}]},{\"owner\":\"b.example.hk\"}]}",
        "{\"sets\":[{\"owner\":\"a.example.hk\",\"values\":\"x\"},{\"owner\":\"b.example.hk\"}]}",
        "{\"sets\":[{\"owner\":\"a.example.hk\",\"ttl\":-1,\"values\":[\"x\"]},{\"owner\":\"b.example.hk\"}]}",
        "{\"results\":[]}",
        "no"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = mem_fmt("#!/bin/sh\ncat >/dev/null\necho '%s'\n", bad[i]);
        script("program", text);
        free(text);
        open_with("exec", "command = $D/program\n");
        read_sets(&l, sets, 2);
        if (last.rc != RC_PAGES || sets[0].n + sets[1].n)
            fail_msg("%s: %d, %zu values", bad[i], last.rc, sets[0].n + sets[1].n);
        close_all();
    }
}

static bool group_gone(pid_t pid)
{
    for (int i = 0; i < 100; i++) {
        if (kill(-pid, 0) != 0)
            return true;
        usleep(50000);
    }
    return false;
}

static void test_hung(void **state)
{
    (void)state;
    int64_t begun = clock_monotonic();
    script("program", "#!/bin/sh\necho $$ > $D/pid\nsleep 300 & sleep 300\n");
    open_with("exec", "command = $D/program\nlimit = 1s\n");
    apply(1);
    assert_string_equal(last.code, "PROGRAM_TIMEOUT");
    assert_int_equal(changes[0].result, CHANGE_UNSURE);
    assert_true(clock_monotonic() - begun < 5000);
    assert_true(group_gone(atol(text_of("pid"))));
    close_all();
}

/* A cancelled batch takes its program along; the one that waited behind it has its turn. */
static void test_cancelled(void **state)
{
    (void)state;
    struct rrset set = {.owner = "a.example.hk"};
    struct lookup l = {.op = {.done = finished}, .zone = "example.hk", .set = &set, .n = 1};
    script("program",
           "#!/bin/sh\nif grep -q apply; then echo $$ > $D/pid; sleep 300; fi\necho '{\"sets\":[{\"owner\":\"a.example.hk\"}]}'\n");
    unlink("pid");
    open_with("exec", "command = $D/program\n");
    start(1);
    ops->read(provider, &l);
    struct timer t = {.op = {.done = finished}, .at = loop_now(net_loop(net)) + 300};
    loop_timer(net_loop(net), &t);
    run();
    op_cancel(&batch.op);
    run();
    assert_int_equal(last.rc, RC_OK);
    assert_true(group_gone(atol(text_of("pid"))));
    start(1);
    ops->read(provider, &l);
    op_cancel(&l.op); /* one that waits */
    op_cancel(&batch.op);
    memset(records, 0, sizeof records);
    close_all();
}

/* --- lego-exec, acmesh: nobody listens at server=, so that every success is doubted -------------------------------------------------------- */

static void test_lego(void **state)
{
    (void)state;
    script("program", "#!/bin/sh\nread -r line && echo stdin >> $D/said\nfor a; do printf '%s|' \"$a\"; done >> $D/said\necho >> $D/said\n"
                      "case $2$1 in c.*present) echo nope >&2; exit 4 ;; esac\n");
    open_with("lego-exec", "command = $D/program -o\nserver = 127.0.0.1:1\nwait = 0s\n");
    apply(4);
    assert_string_equal(text_of("said"),
                        "-o|present|a.example.hk.|-first|\n-o|cleanup|b.example.hk.|second|\n-o|present|c.example.hk.|third|\n"
                        "-o|present|example.hk.|fourth|\n");
    for (int i = 0; i < 4; i++)
        assert_int_equal(changes[i].result, CHANGE_UNSURE);
    assert_string_equal(changes[0].err.code, "WRITE_SLOW");
    close_all();

    script("program", "#!/bin/sh\necho \"$3\" >> $D/hung\nsleep 300\n");
    open_with("lego-exec", "command = $D/program\nserver = 127.0.0.1:1\nwait = 0s\nlimit = 1s\n");
    records[1].value = (struct bytes){(const uint8_t *)"a\0b", 3};
    apply(3);
    assert_int_equal(changes[0].result, CHANGE_UNSURE);
    assert_int_equal(changes[2].result, CHANGE_REFUSED); /* not tried behind one that hangs */
    assert_string_equal(text_of("hung"), "-first\n");
    close_all();

    script("program", "#!/bin/sh\ntrue\n");
    open_with("lego-exec", "command = $D/program\nserver = 127.0.0.1:1\nwait = 0s\n");
    records[0].value = (struct bytes){(const uint8_t *)"a\0b", 3};
    apply(1);
    assert_string_equal(changes[0].err.code, "PROGRAM_VALUE");
    assert_int_equal(changes[0].result, CHANGE_REFUSED);
    close_all();
}

/* A stand-in for acme.sh: what a script finds when it is loaded. */
static const char acme_sh[] = "_save_conf() { echo \"$2=$3\" >> \"$1\"; }\n_read_conf() { grep \"^$2=\" \"$1\" | cut -d = -f 2; }\n"
                              "_saveaccountconf_mutable() { _save_conf \"$ACCOUNT_CONF_PATH\" \"SAVED_$1\" \"$2\"; }\n"
                              "_readaccountconf_mutable() { _read_conf \"$ACCOUNT_CONF_PATH\" \"SAVED_$1\"; }\n"
                              "main() { [ $# = 0 ] && echo usage && return; echo \"acted on $*\" >> $D/acted; }\n"
                              "ACCOUNT_CONF_PATH=$D/account.conf\nmain \"$@\"\n";

static void test_acmesh(void **state)
{
    (void)state;
    char *path = conf_path_of("acme");
    mkdir(path, 0755);
    free(path);
    path = conf_path_of("acme/dnsapi");
    mkdir(path, 0755);
    free(path);
    script("acme/acme.sh", acme_sh);
    script("acme/dnsapi/dns_lab.sh",
           "dns_lab_info='Options: LAB_Token'\n"
           "dns_lab_add() {\nLAB_Token=\"${LAB_Token:-$(_readaccountconf_mutable LAB_Token)}\"\n_saveaccountconf_mutable LAB_Token "
           "\"$LAB_Token\"\n"
           "echo \"x: $LAB_Token\" > \"$HTTP_HEADER\"\nls -la \"$HOME\" > $D/ls\necho \"$HOME\" > $D/home\nread -r line && echo stdin >> "
           "$D/said\n"
           "echo \"add|$1|$2|$#|$LAB_Token|$(umask)\" >> $D/said\nif [ \"$2\" = third ]; then echo token $LAB_Token >&2; return 1; fi\n}\n"
           "dns_lab_rm() { echo \"rm|$1|$2\" >> $D/said; }\n");
    script("acme/dnsapi/dns_knot.sh", "true\n");
    conf_put_text("env", 0600, "LAB_Token=canary-three\n");
    conf_put_text("said", 0600, "");
#define ACMESH "acme_home = $D/acme\nserver = 127.0.0.1:1\nwait = 0s\nenv_file = $D/env\n"
    open_with("acmesh", ACMESH "script = dns_lab\n");
    assert_int_equal(ops->graded(provider), 'C');
    apply(3);
    assert_string_equal(
        text_of("said"),
        "add|a.example.hk|-first|2|canary-three|0077\nrm|b.example.hk|second\nadd|c.example.hk|third|2|canary-three|0077\n");
    assert_int_equal(changes[2].result, CHANGE_UNSURE);
    assert_non_null(strstr(changes[2].err.text, "token ***"));
    assert_string_equal(text_of("acted"), "");
    assert_string_equal(text_of("account.conf"), "");
    assert_non_null(strstr(text_of("ls"), "drwx------"));
    path = mem_str(text_of("home"));
    path[strcspn(path, "\n")] = 0;
    assert_int_equal(strncmp(path, "/dev/shm/dcvagent-", 18), 0);
    static const char *const values[] = {"a\"b", "a'b", "a\\b", "a$(b", "a`b", "a\nb", "\xe4"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        records[0].value = (struct bytes){(const uint8_t *)values[i], strlen(values[i])};
        apply(1);
        assert_string_equal(last.code, "PROGRAM_VALUE");
        assert_int_equal(changes[0].result, CHANGE_REFUSED);
    }
    assert_int_equal(access(path, F_OK), 0);
    close_all();
    assert_int_not_equal(access(path, F_OK), 0);
    free(path);
    open_with("acmesh", ACMESH "script = dns_knot\n");
    assert_int_equal(ops->graded(provider), 'D');
    close_all();
}

/* --- what the configuration is told of ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *type, *text, *fault;
} faults[] = {
    {"exec", "", "command: missing"},
    {"exec", "command = $D/nothing\n", "command: "},
    {"exec", "command = $D/loose_hook\n", "chmod"},
    {"exec", "command = $D/hook\nenv_file = $D/loose\n", "env_file: "},
    {"exec", "command = $D/hook\nserver = tls://192.0.2.1#dns.example\n", "server: "},
    {"exec", "command = $D/hook\ngrade = E\n", "grade: "},
    {"lego-exec", "command = $D/hook\n", "server: missing"},
    {"acmesh", "script = ../x\nacme_home = $D/acme\nserver = 192.0.2.1\n", "script: "},
    {"acmesh", "script = dns_none\nacme_home = $D/acme\nserver = 192.0.2.1\n", "script: "},
    {"acmesh", "script = dns_lab\nacme_home = $D/nothing\nserver = 192.0.2.1\n", "acme_home: "},
    {"acmesh", "script = dns_lab\nserver = 192.0.2.1\n", "acme_home: missing"},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct conf *c = load(faults[i].type, faults[i].text);
        char *got = conf_all_faults(c);
        if (!strstr(got, faults[i].fault))
            fail_msg("%s: %s: got %s", faults[i].text, faults[i].fault, got);
        assert_true(conf_provider(c, "p")->broken);
        free(got);
        conf_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_protocol), cmocka_unit_test(test_exec_answers), cmocka_unit_test(test_not_started),
        cmocka_unit_test(test_exec_read),     cmocka_unit_test(test_hung),         cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_lego),          cmocka_unit_test(test_acmesh),       cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, conf_setup, conf_teardown);
}
