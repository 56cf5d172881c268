/* driver.c: runs a fuzz target without libFuzzer: every file of the corpus folder, then FUZZ_RUNS seeded mutations of them.
 *
 * usage: fuzz_NAME [CORPUS_FOLDER | FILE...]. Prints TAP. The input under test is kept in a shared mapping, PROGRAM.last, so that it
 * is on disk after a crash: `fuzz_NAME fuzz_NAME.last` repeats it. FUZZ_SEED (1) and FUZZ_RUNS (20000) choose the mutations. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum { INPUT_MAX = 65536, CORPUS_MAX = 4096, SECONDS_MAX = 60 };

struct input {
    uint8_t *data;
    size_t size;
};
struct corpus {
    struct input list[CORPUS_MAX];
    size_t count;
};

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return limit ? (uint32_t)(random_state >> 32) % limit : 0;
}

static void corpus_add_file(struct corpus *c, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode) || c->count == CORPUS_MAX) {
        if (f)
            fclose(f);
        return;
    }
    struct input in = {.data = malloc(INPUT_MAX)};
    if (!in.data)
        abort();
    in.size = fread(in.data, 1, INPUT_MAX, f);
    fclose(f);
    c->list[c->count++] = in;
}

static void corpus_add(struct corpus *c, const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        corpus_add_file(c, path);
        return;
    }
    for (int i = 0; i < n; i++) {
        char file[4096];
        if (names[i]->d_name[0] != '.' && snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name) < (int)sizeof file)
            corpus_add_file(c, file);
        free(names[i]);
    }
    free(names);
}

struct kept {
    int fd;
    uint8_t *map;
};

static struct kept kept_input(const char *program)
{
    char path[4096];
    struct kept k = {.fd = -1};
    if (snprintf(path, sizeof path, "%s.last", program) >= (int)sizeof path)
        return k;
    k.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    void *map = k.fd < 0 ? MAP_FAILED : mmap(NULL, INPUT_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, k.fd, 0);
    k.map = map == MAP_FAILED ? NULL : map;
    return k;
}

static void keep(const struct kept *k, const uint8_t *data, size_t size)
{
    if (k->map && size && ftruncate(k->fd, (off_t)size) == 0)
        memcpy(k->map, data, size);
}

/* The target gets a block of exactly the size, so that AddressSanitizer sees the first octet too many. */
static void try_input(const uint8_t *data, size_t size, const struct kept *kept)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, data, size);
    keep(kept, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static size_t insert(uint8_t *buf, size_t size, size_t at, const uint8_t *from, size_t n)
{
    if (size + n > INPUT_MAX)
        return size;
    memmove(buf + at + n, buf + at, size - at);
    if (from)
        memcpy(buf + at, from, n);
    else
        memset(buf + at, (int)random_below(256), n);
    return size + n;
}

static size_t mutate_once(uint8_t *buf, size_t size, const struct corpus *c)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xc0, 0xff, '\n', '\r', '"', '\\', ';', '=', '[', ' ', '.', '*', '<', '{'};
    size_t at = random_below((uint32_t)size + 1);
    const struct input *other = &c->list[random_below((uint32_t)c->count)];
    size_t from = random_below((uint32_t)other->size + 1), n = random_below(32);
    switch (random_below(7)) {
    case 0:
        if (at < size)
            buf[at] ^= (uint8_t)(1u << random_below(8));
        return size;
    case 1:
        if (at < size)
            buf[at] = telling[random_below(sizeof telling)];
        return size;
    case 2:
        if (at < size)
            buf[at] = (uint8_t)random_below(256);
        return size;
    case 3:
        n = n > size - at ? size - at : n;
        memmove(buf + at, buf + at + n, size - at - n);
        return size - n;
    case 4:
        return insert(buf, size, at, NULL, random_below(8) ? n : random_below(2048));
    case 5:
        return insert(buf, size, at, other->data + from, n > other->size - from ? other->size - from : n);
    default:
        return at;
    }
}

static unsigned run_mutations(const struct corpus *c, unsigned runs, const struct kept *kept)
{
    static uint8_t buf[INPUT_MAX];
    time_t end = time(NULL) + SECONDS_MAX;
    unsigned done = 0;
    for (; done < runs && (done % 64 || time(NULL) < end); done++) {
        const struct input *seed = &c->list[random_below((uint32_t)c->count)];
        size_t size = seed->size;
        memcpy(buf, seed->data, size);
        for (unsigned n = 1 + random_below(6); n; n--)
            size = mutate_once(buf, size, c);
        try_input(buf, size, kept);
    }
    return done;
}

int main(int argc, char **argv)
{
    static struct corpus corpus;
    const char *runs = getenv("FUZZ_RUNS"), *seed = getenv("FUZZ_SEED");
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        corpus_add(&corpus, argv[i]);
    size_t files = corpus.count;
    struct kept kept = kept_input(argv[0]);
    printf("1..2\n");
    for (size_t i = 0; i < files; i++)
        try_input(corpus.list[i].data, corpus.list[i].size, &kept);
    printf("%sok 1 - corpus, %zu files\n", files ? "" : "not ", files);
    fflush(stdout);
    random_state = 0x9e3779b97f4a7c15u ^ (seed ? strtoul(seed, NULL, 10) : 1);
    if (!files)
        corpus.list[corpus.count++] = (struct input){.data = calloc(1, 1), .size = 0};
    printf("ok 2 - %u mutations\n", run_mutations(&corpus, runs ? (unsigned)strtoul(runs, NULL, 10) : 20000, &kept));
    for (size_t i = 0; i < corpus.count; i++)
        free(corpus.list[i].data);
    return files ? 0 : 1;
}
