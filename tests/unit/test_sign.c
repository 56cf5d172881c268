/* Signatures against what the vendors publish. Each row names its source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki.h"
#include "providers/sign/sign.h"

struct vector {
    const char *source, *scheme;
    const char *method, *url;
    const char *headers; /* one a line */
    const char *body;
    int64_t time;
    const char *nonce, *region, *service, *id, *secret, *token;
    const char *want; /* header lines, one a line, in any order; all of them */
};

#define EMPTY_HASH  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define AMAZON_TIME 1440938160 /* 20150830T123600Z */
#define AMAZON_KEY  .time = AMAZON_TIME, .region = "us-east-1", .id = "AKIDEXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define AMAZON(name, host, what, covered, sig)                                                                                             \
    .source = name, .scheme = "aws-sigv4", .method = "GET", .url = "https://" host what, .service = "service", AMAZON_KEY,                 \
    .want =                                                                                                                                \
        "X-Amz-Date: 20150830T123600Z\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "   \
        "SignedHeaders=" covered ", Signature=" sig
#define AMAZON_PLAIN(name, what, sig) AMAZON(name, "example.amazonaws.com", what, "host;x-amz-date", sig)

#define AKAMAI(name, verb, what, data, sig)                                                                                                \
    .source = name, .scheme = "eg1-hmac-sha256", .method = verb,                                                                           \
    .url = "https://akaa-baseurl-xxxxxxxxxxx-xxxxxxxxxxxxx.luna.akamaiapis.net" what, .body = data, .time = 1395430461,                    \
    .nonce = "nonce-xx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", .id = "akab-client-token-xxx-xxxxxxxxxxxxxxxx",                                       \
    .secret = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=", .token = "akab-access-token-xxx-xxxxxxxxxxxxxxxx",                           \
    .want = "Authorization: EG1-HMAC-SHA256 client_token=akab-client-token-xxx-xxxxxxxxxxxxxxxx;access_token=akab-access-token-xxx-"       \
            "xxxxxxxxxxxxxxxx;timestamp=20140321T19:34:21+0000;nonce=nonce-xx-xxxx-xxxx-xxxx-xxxxxxxxxxxx;signature=" sig

#define OVH(name, data, sig)                                                                                                               \
    .source = name, .scheme = "ovh-sha1", .method = "METHOD", .url = "https://eu.api.ovh.com/1.0/unit/test", .body = data,                 \
    .time = 1404395931, .id = "fake application key", .secret = "fake application secret", .token = "fake consumer key",                   \
    .want =                                                                                                                                \
        "X-Ovh-Application: fake application key\nX-Ovh-Consumer: fake consumer key\nX-Ovh-Timestamp: 1404395931\nX-Ovh-Signature: " sig

static const struct vector vectors[] = {
    /* docs.aws.amazon.com, IAM User Guide, "Create a signed request" (and General Reference, "Signing AWS requests"): ListUsers */
    {.source = "aws: ListUsers of the guide",
     .scheme = "aws-sigv4",
     .method = "GET",
     .url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
     .headers = "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
     .service = "iam",
     AMAZON_KEY,
     .want = "X-Amz-Date: 20150830T123600Z\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
    /* The AWS Signature Version 4 test suite (docs.aws.amazon.com General Reference; github.com/awslabs/aws-c-auth tests/aws-signing-test-suite/v4),
     * each by its folder: header-signed-request.txt */
    {AMAZON_PLAIN("aws: get-vanilla", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")},
    {AMAZON_PLAIN("aws: get-vanilla, without a path", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")},
    {AMAZON_PLAIN("aws: get-vanilla, usual port", ":443/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")},
    {AMAZON_PLAIN("aws: get-vanilla-empty-query-key", "/?Param1=value1",
                  "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb")},
    {AMAZON_PLAIN("aws: get-vanilla-query-order-key-case", "/?Param2=value2&Param1=value1",
                  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")},
    {AMAZON_PLAIN("aws: get-vanilla-query-order-encoded", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
                  "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac")},
    {AMAZON_PLAIN("aws: get-vanilla-utf8-query", "/?\xe1\x88\xb4=bar", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04")},
    {AMAZON_PLAIN("aws: get-vanilla-utf8-query, escaped in lower case", "/?%e1%88%b4=%62ar",
                  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04")},
    {AMAZON_PLAIN("aws: get-utf8", "/\xe1\x88\xb4", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85")},
    {AMAZON("aws: get-header-value-trim", "example.amazonaws.com", "/", "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
     .headers = "My-Header1:  value1 \nMy-Header2: \"a   b   c\""},
    {.source = "aws: get-vanilla-with-session-token",
     .scheme = "aws-sigv4",
     .method = "GET",
     .url = "https://example.amazonaws.com/",
     .service = "service",
     .token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
     AMAZON_KEY,
     .want = "X-Amz-Date: 20150830T123600Z\nX-Amz-Security-Token: 6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267\n"
             "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
             "SignedHeaders=host;x-amz-date;x-amz-security-token, "
             "Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {.source = "aws: post-x-www-form-urlencoded",
     .scheme = "aws-sigv4",
     .method = "POST",
     .url = "https://example.amazonaws.com/",
     .headers = "Content-Type: application/x-www-form-urlencoded\nContent-Length: 13\n"
                "x-amz-content-sha256: 9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
     .body = "Param1=value1",
     .service = "service",
     AMAZON_KEY,
     .want =
         "X-Amz-Date: 20150830T123600Z\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
         "SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, "
         "Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
    /* tencentcloud.com document 267/37447 and others, "Signature v3": DescribeInstances. The id is masked there, the key stands in step 3. */
    {.source = "tc3: DescribeInstances",
     .scheme = "tc3-hmac-sha256",
     .method = "POST",
     .url = "https://cvm.tencentcloudapi.com/",
     .headers = "X-TC-Version: 2017-03-12\nX-TC-Region: ap-guangzhou\nContent-Type: application/json; charset=utf-8",
     .body = "{\"Limit\": 1, \"Filters\": [{\"Values\": [\"\\u672a\\u547d\\u540d\"], \"Name\": \"instance-name\"}]}",
     .time = 1551113065,
     .service = "cvm",
     .id = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
     .secret = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
     .want = "X-TC-Timestamp: 1551113065\n"
             "Authorization: TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
             "SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"},
    /* alibabacloud.com "V3 request structure and signature" (help.aliyun.com 2593177), "Fixed parameter example": RunInstances */
    {.source = "acs3: RunInstances",
     .scheme = "acs3-hmac-sha256",
     .method = "POST",
     .url = "https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
     .headers = "x-acs-version: 2014-05-26\nx-acs-action: RunInstances",
     .time = 1698315752,
     .nonce = "3156853299f313e23d1673dc12e1703d",
     .id = "YourAccessKeyId",
     .secret = "YourAccessKeySecret",
     .want =
         "x-acs-date: 2023-10-26T10:22:32Z\nx-acs-signature-nonce: 3156853299f313e23d1673dc12e1703d\nx-acs-content-sha256: " EMPTY_HASH "\n"
         "Authorization: ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
         "x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"},
    /* support.huaweicloud.com devg-apisign "AK/SK signing", api-sign-algorithm-002 to -005: a query of VPCs */
    {.source = "sdk: VPCs",
     .scheme = "sdk-hmac-sha256",
     .method = "GET",
     .url =
         "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
     .headers = "Content-Type: application/json",
     .time = 1573789015,
     .id = "QTWAOYTTINDUT2QVKYUC",
     .secret = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
     .want = "X-Sdk-Date: 20191115T033655Z\nAuthorization: SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, "
             "SignedHeaders=content-type;host;x-sdk-date, Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"},
    /* github.com/huaweicloud/huaweicloud-sdk-java-v3, TestAKSKSigner.testDerivedAKSKSigner, first part: no query */
    {.source = "sdk: without a query",
     .scheme = "sdk-hmac-sha256",
     .method = "GET",
     .url = "https://service.test-region-1.myhuaweicloud.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
     .headers = "Content-Type: application/json",
     .time = 1573789015,
     .id = "QTWAOYTTINDUT2QVKYUC",
     .secret = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
     .want = "X-Sdk-Date: 20191115T033655Z\nAuthorization: SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, "
             "SignedHeaders=content-type;host;x-sdk-date, Signature=4a30e690c3032a1975323588d79e858f188834f91df411a47ada7def6ad8081f"},
    /* volcengine.com docs/6408/78948 gives the request and its canonical form, but masks the keys: so no published signature. The one here is
     * of Python's hmac with the key "secret" over that canonical form:
     *   for part in ("20200401", "cn-north-1", "iam", "request"): key = hmac.digest(key, part, "sha256") */
    {.source = "volc: ListUsers",
     .scheme = "volc-hmac-sha256",
     .method = "GET",
     .url = "https://iam.volcengineapi.com/?Action=ListUsers&Version=2020-04-01&Limit=10&Offset=0",
     .headers = "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
     .time = 1585729085,
     .region = "cn-north-1",
     .service = "iam",
     .id = "AK",
     .secret = "secret",
     .want = "X-Date: 20200401T081805Z\nX-Content-Sha256: " EMPTY_HASH "\n"
             "Authorization: HMAC-SHA256 Credential=AK/20200401/cn-north-1/iam/request, "
             "SignedHeaders=content-type;host;x-content-sha256;x-date, "
             "Signature=34fc0eac624a1d064e9e684f72080fcf68726266648f77a0a77fb0eb7b10ce97"},
    /* github.com/akamai/AkamaiOPEN-edgegrid-python akamai/edgegrid/test/testdata.json, by testName */
    {AKAMAI("eg1: simple GET", "GET", "/", NULL, "tL+y4hxyHxgWVD30X3pWnGKHcPzmrIF+LThiAOhMxYU=")},
    {AKAMAI("eg1: simple GET, without a path", "GET", "", NULL, "tL+y4hxyHxgWVD30X3pWnGKHcPzmrIF+LThiAOhMxYU=")},
    {AKAMAI("eg1: GET with querystring", "GET", "/testapi/v1/t1?p1=1&p2=2", NULL, "hKDH1UlnQySSHjvIcZpDMbQHihTQ0XyVAKZaApabdeA=")},
    {AKAMAI("eg1: POST inside limit", "POST", "/testapi/v1/t3", "datadatadatadatadatadatadatadata",
            "hXm4iCxtpN22m4cbZb4lVLW5rhX8Ca82vCFqXzSTPe4=")},
    {AKAMAI("eg1: POST empty body", "POST", "/testapi/v1/t6", "", "1gEDxeQGD5GovIkJJGcBaKnZ+VaPtrc4qBUHixjsPCQ=")},
    {AKAMAI("eg1: PUT test", "PUT", "/testapi/v1/t6", "PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP", "GNBWEYSEWOLtu+7dD52da2C39aX/Jchpon3K/AmBqBU=")},
    /* github.com/ovh/python-ovh tests/test_client.py, test_call_signature (2014, where the method is turned to upper case) */
    {OVH("ovh: no body", NULL, "$1$16ae5ba8c63841b1951575be905867991d5f49dc")},
    {OVH("ovh: data", "{\"some\": \"random\", \"data\": 42}", "$1$9acb1ac0120006d16261a635aed788e83ab172d2")},
};

static void lines_of(struct strs *l, const char *text)
{
    for (const char *at = text; at && *at;) {
        size_t n = strcspn(at, "\n");
        strs_add_n(l, at, n);
        at += n + (at[n] == '\n');
    }
}

struct given {
    struct strs headers;
    struct secret secret, token;
    struct sign_in in;
};

static void give(struct given *g, const struct vector *v)
{
    *g = (struct given){0};
    lines_of(&g->headers, v->headers);
    if (v->secret)
        secret_set(&g->secret, v->secret, strlen(v->secret));
    if (v->token)
        secret_set(&g->token, v->token, strlen(v->token));
    g->in = (struct sign_in){.method = v->method,
                             .url = v->url,
                             .headers = &g->headers,
                             .body = {(const uint8_t *)v->body, v->body ? strlen(v->body) : 0},
                             .time = v->time,
                             .nonce = v->nonce,
                             .region = v->region,
                             .service = v->service,
                             .id = v->id,
                             .secret = &g->secret,
                             .token = &g->token};
}

static void drop(struct given *g)
{
    strs_free(&g->headers);
    secret_free(&g->secret);
    secret_free(&g->token);
}

static void published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct given g;
        struct strs got = {0}, want = {0};
        struct err e = {0};
        give(&g, &vectors[i]);
        lines_of(&want, vectors[i].want);
        if (!sign_request(vectors[i].scheme, &g.in, &got, &e) || !strs_equal_sets(&got, &want)) {
            char *is = strs_join(&got, "\n  ");
            print_error("%s: %s\n  %s\n", vectors[i].source, e.text, is);
            free(is);
            fail();
        }
        assert_int_equal(got.n, want.n);
        strs_free(&got);
        strs_free(&want);
        drop(&g);
    }
}

/* What tencentcloud.com's newer pages sign besides: the action, its value in lower case as all of TC3's. */
static void tc3_signs_the_action(void **state)
{
    (void)state;
    struct vector v = {.scheme = "tc3-hmac-sha256",
                       .method = "POST",
                       .url = "https://dnspod.tencentcloudapi.com/",
                       .headers = "X-TC-Action: DescribeRecordList\nContent-Type: application/json",
                       .body = "{}",
                       .time = 1551113065,
                       .service = "dnspod",
                       .id = "AKID",
                       .secret = "secret",
                       .token = "TOKEN"};
    struct given g;
    struct strs got = {0};
    struct err e = {0};
    give(&g, &v);
    assert_true(sign_request(v.scheme, &g.in, &got, &e));
    assert_true(strs_has(&got, "X-TC-Token: TOKEN"));
    /* Python: see the comment of volc; over "POST\n/\n\ncontent-type:application/json\nhost:dnspod.tencentcloudapi.com\n
     * x-tc-action:describerecordlist\n\ncontent-type;host;x-tc-action\n" + sha256("{}") */
    assert_true(strs_has(&got, "Authorization: TC3-HMAC-SHA256 Credential=AKID/2019-02-25/dnspod/tc3_request, "
                               "SignedHeaders=content-type;host;x-tc-action, "
                               "Signature=f461975ae432f820b4f756d811f715c407ed75d0c5f2d7408cbc7dfe7342413e"));
    strs_free(&got);
    drop(&g);
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    static const struct vector table[] = {
        {.source = "no such signature", .scheme = "aws-sigv5", .url = "https://a.example/", .id = "i", .secret = "s"},
        {.source = "URL is none", .scheme = "aws-sigv4", .url = "ftp://a.example/", .id = "i", .secret = "s"},
        {.source = "URL is none", .scheme = "ovh-sha1", .url = "https://", .id = "i", .secret = "s"},
        {.source = "URL is none", .scheme = "ovh-sha1", .url = "https://u@a.example/", .id = "i", .secret = "s"},
        {.source = "URL is none", .scheme = "ovh-sha1", .url = "https://a.example/#x", .id = "i", .secret = "s"},
        {.source = "id of the key is missing", .scheme = "aws-sigv4", .url = "https://a.example/", .secret = "s"},
        {.source = "secret of the key is missing", .scheme = "aws-sigv4", .url = "https://a.example/", .id = "i"},
        {.source = "region is missing", .scheme = "aws-sigv4", .url = "https://a.example/", .id = "i", .secret = "s", .service = "x"},
        {.source = "service is missing", .scheme = "tc3-hmac-sha256", .url = "https://a.example/", .id = "i", .secret = "s"},
        {.source = "a nonce is missing", .scheme = "acs3-hmac-sha256", .url = "https://a.example/", .id = "i", .secret = "s"},
        {.source = "access token is missing", .scheme = "eg1-hmac-sha256", .url = "https://a.example/", .id = "i", .secret = "s"},
        {.source = "consumer key is missing", .scheme = "ovh-sha1", .url = "https://a.example/", .id = "i", .secret = "s"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct given g;
        struct strs got = {0};
        struct err e = {0};
        struct vector v = table[i];
        v.method = "GET";
        give(&g, &v);
        assert_false(sign_request(v.scheme, &g.in, &got, &e));
        assert_string_equal(e.code, "SIGN");
        assert_int_equal(e.rc, RC_CONF);
        if (!strstr(e.text, v.source))
            fail_msg("%s: %s", v.source, e.text);
        strs_free(&got);
        drop(&g);
    }
    assert_true(sign_known("ovh-sha1"));
    assert_false(sign_known(""));
}

/* Odd URLs and headers neither crash nor read beyond their ends. */
static void odd_requests(void **state)
{
    (void)state;
    static const char *const urls[] = {"https://a.example/?",      "https://a.example/?&&=&a&=b&a=b=c", "https://a.example/%?%2=%&%zz=%4",
                                       "https://a.example?x=%2F/", "https://a.example//a//%2f%",        "http://a.example:443/?\x01\xff"};
    static const char *const headers = "X-Nothing:\n:value\nno-colon\nX-Blank:   \nX-Acs-Long:  a  b\t ";
    static const char *const schemes[] = {"aws-sigv4",        "tc3-hmac-sha256", "acs3-hmac-sha256", "sdk-hmac-sha256",
                                          "volc-hmac-sha256", "eg1-hmac-sha256", "ovh-sha1"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        for (size_t k = 0; k < sizeof schemes / sizeof *schemes; k++) {
            struct vector v = {.method = "GET",
                               .url = urls[i],
                               .headers = headers,
                               .nonce = "n",
                               .region = "r",
                               .service = "s",
                               .id = "i",
                               .secret = "s",
                               .token = "t",
                               .time = -1};
            struct given g;
            struct strs got = {0};
            give(&g, &v);
            assert_true(sign_request(schemes[k], &g.in, &got, NULL));
            strs_free(&got);
            drop(&g);
        }
}

/* RFC 7515 A.2 */
static void jwt_is_rfc_7515_a2(void **state)
{
    (void)state;
    struct secret pem = {0};
    struct str out = STR_INIT(65536);
    struct err e = {0};
    secret_set(&pem, pki_rfc_7515, strlen(pki_rfc_7515));
    assert_true(sign_jwt(&pem, "{\"alg\":\"RS256\"}", "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}",
                         &out, &e));
    assert_string_equal(
        str_text(&out),
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAc"
        "QjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEs"
        "qtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
    str_free(&out);
    secret_free(&pem);
}

static void other_keys_sign_no_tokens(void **state)
{
    (void)state;
    struct secret pem[3] = {0};
    secret_set(&pem[0], "junk", 4);
    pki_secret(pki_rsa(1024), &pem[1]);
    pki_secret(pki_key(0), &pem[2]);
    for (size_t i = 0; i < 3; i++) {
        struct str out = STR_INIT(4096);
        struct err e = {0};
        assert_false(sign_jwt(&pem[i], "{}", "{}", &out, &e));
        assert_string_equal(e.code, "SIGN_KEY");
        assert_int_equal(out.n, 0);
        secret_free(&pem[i]);
    }
    pki_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),       cmocka_unit_test(tc3_signs_the_action), cmocka_unit_test(odd_requests),
        cmocka_unit_test(what_is_missing_is_said), cmocka_unit_test(jwt_is_rfc_7515_a2),   cmocka_unit_test(other_keys_sign_no_tokens),
    };
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
