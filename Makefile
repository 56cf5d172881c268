# GNU make. `make help` lists the targets.
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

BUILD   ?= build
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
DATADIR ?= $(PREFIX)/share/dcvagent
DOCDIR  ?= $(PREFIX)/share/doc/dcvagent
MANDIR  ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
ifeq ($(origin CC),default)
CC      = gcc
endif
PKGS    = libuv libcares libcurl ldns libssl libcrypto inih jansson libidn2 sqlite3 libxml-2.0
JOBS    = $(shell nproc 2>/dev/null || echo 2)

DEPS      = gcc libc6-dev make pkg-config libuv1-dev libc-ares-dev libldns-dev libcurl4-openssl-dev libssl-dev libinih-dev libjansson-dev libidn2-dev libsqlite3-dev libxml2-dev
DEPS_TEST = $(DEPS) git curl libcmocka-dev python3 openssl ca-certificates iproute2 util-linux procps sqlite3 universal-ctags clang-format mandoc \
            faketime bind9 bind9-dnsutils bind9-utils knot knot-dnsutils pdns-server pdns-backend-sqlite3 unbound nsd pebble \
            nginx-light apache2-bin haproxy dovecot-core dovecot-imapd $(if $(wildcard /usr/sbin/sendmail),,postfix)
DEPS_FUZZ = clang libclang-rt-14-dev
DEPS_COV  = gcovr
DEPS_BENCH = lego certbot python3-certbot-dns-rfc2136 uacme

# Not linked but loaded when a portal's page is read (agent/ca/portal/libxml.h), under the name that the linker would have taken.
LATE    = libxml-2.0
SONAME  = readelf -d "$$($(CC) -print-file-name=libxml2.so)" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'

# The floors of the house, from the ground up (docs/ARCHITECTURE.md). DIRS may be cut to work on some of them alone.
DIRS    ?= agent/base agent/conf agent/store agent/net providers agent/cert agent/dcv agent/ca agent/order agent/cmd

WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wundef \
          -Wformat=2 -Wvla -Wcast-qual -Wno-missing-field-initializers
ifeq ($(WERROR),1)
WARN   += -Werror
endif
OPT     = -O2 -g
HARDEN  = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection $(HARDEN_$(shell uname -m))
HARDEN_x86_64  = -fcf-protection
HARDEN_aarch64 = -mbranch-protection=standard
# Asked once, and not before a recipe needs it: `make deps` may have to install pkg-config first.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(filter-out $(LATE),$(PKGS))))$(PKG_LIBS)
DEFINES  = -D_GNU_SOURCE -Iagent -I. $(PKG_CFLAGS) $(CPPFLAGS)
ALLFLAGS = -std=gnu11 $(WARN) $(OPT) $(HARDEN) -fPIE $(DEFINES) $(CFLAGS)
LINK    = -pie -Wl,-z,relro,-z,now $(OPT) $(LDFLAGS)
LIBS    = $(PKG_LIBS)

# The test build: sanitizers, injected faults (base/fault.h). Never installed.
T       = $(BUILD)/test
TFLAGS  = -std=gnu11 $(WARN) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined \
          -DDCV_FAULTS $(DEFINES) $(CFLAGS)
TLINK   = -fsanitize=address,undefined $(LDFLAGS)

# libFuzzer's build.
F       = $(BUILD)/fuzz
FFLAGS  = -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
          -DDCV_FAULTS $(DEFINES)
FUZZ_SECONDS ?= 60

SRC     = $(sort $(foreach d,$(DIRS),$(wildcard $(d)/*.c $(d)/*/*.c)))
OBJ     = $(SRC:%.c=$(BUILD)/obj/%.o)
TOBJ    = $(SRC:%.c=$(T)/obj/%.o)
UNIT    = $(patsubst tests/unit/%.c,$(T)/unit/%,$(wildcard tests/unit/test_*.c))
FAKES   = $(filter-out tests/scenario/test_%,$(wildcard tests/scenario/*.c))
SCENE   = $(patsubst tests/scenario/%.c,$(T)/scenario/%,$(wildcard tests/scenario/test_*.c))
UNITAID = $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))
BENCHPROG = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
LABPROG = $(patsubst tests/lab/%.c,$(T)/lab/%,$(wildcard tests/lab/*.c))
FUZZ    = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TESTBIN = $(PAGES) $(UNIT) $(SCENE) $(LABPROG) $(FUZZ:%=$(T)/fuzz/%) $(if $(wildcard agent/main.c),$(T)/dcvagent)

## all: the program, build/dcvagent (installs what building needs if it is missing)
all: $(BUILD)/dcvagent

$(BUILD)/dcvagent: $(OBJ) $(BUILD)/obj/agent/main.o
	$(CC) $(LINK) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: %.c | deps
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

$(T)/obj/%.o: %.c | deps
	@mkdir -p $(@D)
	$(CC) $(TFLAGS) -MMD -MP -c -o $@ $<

$(T)/libdcv.a: $(TOBJ)
	@rm -f $@
	ar rcs $@ $^

$(T)/dcvagent: $(T)/obj/agent/main.o $(T)/libdcv.a
	$(CC) $(TLINK) -o $@ $^ $(LIBS)

# What several unit tests share lies in files without the prefix test_.
$(T)/libunit.a: $(UNITAID:%.c=$(T)/obj/%.o)
	@rm -f $@
	ar rcs $@ $^

$(T)/unit/%: $(T)/obj/tests/unit/%.o $(if $(UNITAID),$(T)/libunit.a) $(T)/libdcv.a
	@mkdir -p $(@D)
	$(CC) $(TLINK) -o $@ $^ $(LIBS) -lcmocka

# The fakes come before the archive: what they define is not pulled from it.
$(T)/scenario/%: $(T)/obj/tests/scenario/%.o $(FAKES:%.c=$(T)/obj/%.o) $(T)/libdcv.a
	@mkdir -p $(@D)
	$(CC) $(TLINK) -o $@ $^ $(LIBS) -lcmocka

$(T)/lab/%: $(T)/obj/tests/lab/%.o $(T)/libdcv.a
	@mkdir -p $(@D)
	$(CC) $(TLINK) -o $@ $^ $(LIBS)

$(BUILD)/bench/%: tests/bench/%.c | deps
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(WARN) $(OPT) -D_GNU_SOURCE -o $@ $<

$(T)/fuzz/%: $(T)/obj/tests/fuzz/%.o $(T)/obj/tests/fuzz/driver.o $(T)/libdcv.a
	@mkdir -p $(@D)
	$(CC) $(TLINK) -o $@ $^ $(LIBS)

$(F)/obj/%.o: %.c | deps-fuzz
	@mkdir -p $(@D)
	clang $(FFLAGS) -MMD -MP -c -o $@ $<

$(F)/libdcv.a: $(SRC:%.c=$(F)/obj/%.o)
	@rm -f $@
	ar rcs $@ $^

$(F)/fuzz_%: $(F)/obj/tests/fuzz/fuzz_%.o $(F)/libdcv.a
	clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

# Version, data folder and libxml2's name are known to the files that name them, and to no other: a commit or another PREFIX rebuilds those alone.
NAMERS := $(shell grep -lE 'DCVAGENT_(VERSION|DATADIR)|LIBXML2_SONAME' $(SRC) agent/main.c /dev/null 2>/dev/null)
NAMED  := $(foreach d,$(BUILD)/obj $(T)/obj $(F)/obj,$(NAMERS:%.c=$(d)/%.o))
$(NAMED): $(BUILD)/version.h
$(NAMED): DEFINES += -include $(BUILD)/version.h
$(BUILD)/version.h: version-now
	@mkdir -p $(@D)
	@test -n "$$($(SONAME))" || { echo "make: libxml2.so is not where $(CC) looks for it, or readelf is missing (Debian: apt install libxml2-dev binutils)" >&2; exit 1; }
	@printf '#define DCVAGENT_VERSION "%s"\n#define DCVAGENT_DATADIR "%s"\n#define LIBXML2_SONAME "%s"\n' "$$(.ci/version)" '$(DATADIR)' "$$($(SONAME))" > $@.new; \
	if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi
version-now: ;

## test-programs: the test build: unit tests, scenarios, fuzz targets, lab programs, build/test/dcvagent (ASan, UBSan)
test-programs: $(TESTBIN)

## unit: builds and runs the unit tests alone
unit: $(UNIT)
	@for t in $(UNIT); do echo "== $$t"; $$t || exit 1; done

## asan: the program and the unit tests with AddressSanitizer and UBSan
asan: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) test-programs

## check: everything the project can test by itself: last line `N passed, N failed`, details in build/check.log
check: deps-test
	@MAKE='$(MAKE)' BUILD='$(BUILD)' JOBS='$(JOBS)' tests/run --build

## lint: floors, sizes, banned calls, words, format, manual
lint:
	@BUILD='$(BUILD)' tests/run --only lint

## fuzz: libFuzzer, FUZZ_SECONDS (60) for each target
fuzz: $(FUZZ:%=$(F)/%)
	@set -e; for t in $(FUZZ); do n=$${t#fuzz_}; mkdir -p $(F)/corpus/$$n tests/fuzz/corpus/$$n; echo "== $$t"; \
	$(F)/$$t -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(F)/$$t. -print_final_stats=0 -verbosity=0 \
	$(F)/corpus/$$n tests/fuzz/corpus/$$n; done

## bench: measurements of the release build in the lab, as tables (docs/BENCHMARKS.md); never a verdict
bench: deps-test
	@.ci/deps $(DEPS_BENCH)
	@$(MAKE) --no-print-directory -s -j$(JOBS) all $(BENCHPROG)
	@BUILD='$(BUILD)' tests/bench/run

## demo: an order from names to an installed certificate, in a network of its own
demo: deps-test
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@BUILD='$(BUILD)' tests/lab/demo

## coverage: lines reached by unit tests, scenarios and labs (build/cov)
coverage: deps-test
	@.ci/deps $(DEPS_COV)
	@find $(BUILD)/cov -name '*.gcda' -delete 2>/dev/null || true
	@MAKE='$(MAKE) CFLAGS=--coverage LDFLAGS=--coverage WERROR=0' BUILD='$(BUILD)/cov' JOBS='$(JOBS)' \
	tests/run --build --only unit,scenario,lab,fuzz || true
	gcovr --root . --filter 'agent/' --filter 'providers/' --exclude-throw-branches -s $(BUILD)/cov/test/obj | tee $(BUILD)/cov/summary.txt

## format: clang-format on all .c files (headers are aligned by hand)
format:
	find agent providers tests tools -name '*.c' -exec clang-format -i {} +

## man: checks the manual pages
man: pages
	@for m in $(PAGES); do mandoc -T lint -W warning "$$m" || exit 1; done; echo "manual pages: no faults"

## deps: installs what building needs (Debian; root or sudo), quiet if nothing is missing
deps:
	@pkg-config --exists $(PKGS) 2>/dev/null && command -v $(CC) ar >/dev/null || .ci/deps $(DEPS)

## deps-test: installs what `make check` and `make demo` need; starts no daemon
deps-test:
	@.ci/deps $(DEPS_TEST)
deps-fuzz:
	@.ci/deps $(DEPS) $(DEPS_FUZZ)

## dist: build/dcvagent-VERSION.tar.xz of the last commit
dist:
	@set -e; v=$$(.ci/version); d=$(BUILD)/dist/dcvagent-$$v; rm -rf $(BUILD)/dist; mkdir -p $$d; \
	git archive HEAD | tar -C $$d -xf -; echo "$$v" > $$d/VERSION; \
	tar -C $(BUILD)/dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$$(git log -1 --format=%ct)" -cJf \
	$(BUILD)/dcvagent-$$v.tar.xz dcvagent-$$v; rm -rf $(BUILD)/dist; echo $(BUILD)/dcvagent-$$v.tar.xz

include tools/manual.mk

## install: to DESTDIR, PREFIX (/usr/local): program, manual pages, descriptions, examples, systemd units
install: all pages
	install -Dm755 $(BUILD)/dcvagent $(DESTDIR)$(SBINDIR)/dcvagent
	for m in $(PAGES); do install -Dm644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done
	sed -i 's|/usr/sbin/dcvagent|$(SBINDIR)/dcvagent|g' $(foreach m,$(PAGES),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m))
	install -Dm644 $(COMPLETION) $(DESTDIR)$(PREFIX)/share/bash-completion/completions/dcvagent
	[ ! -d conf ] || find conf -type f | while read -r f; do install -Dm644 $$f $(DESTDIR)$(DATADIR)/$${f#conf/}; done
	for u in dcvagent.service dcvagent.timer; do install -d $(DESTDIR)$(UNITDIR) && \
	sed 's|/usr/sbin/dcvagent|$(SBINDIR)/dcvagent|g' contrib/systemd/$$u > $(DESTDIR)$(UNITDIR)/$$u && chmod 644 $(DESTDIR)$(UNITDIR)/$$u; done
	find contrib -type f | while read -r f; do install -Dm$$(test -x $$f && echo 755 || echo 644) $$f $(DESTDIR)$(DOCDIR)/examples/$${f#contrib/}; done
	find $(DESTDIR)$(DOCDIR)/examples -type f -exec sed -i 's|/usr/sbin/dcvagent|$(SBINDIR)/dcvagent|g' {} +
	for f in $(wildcard LICENSE README.md CHANGELOG.md docs/*.md); do install -Dm644 $$f $(DESTDIR)$(DOCDIR)/$$f; done

## uninstall: removes what install wrote; configuration, keys and certificates stay
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/dcvagent $(DESTDIR)$(UNITDIR)/dcvagent.service $(DESTDIR)$(UNITDIR)/dcvagent.timer
	for m in $(PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/dcvagent
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)

## clean: removes the build folder
clean:
	rm -rf $(BUILD)

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' Makefile tools/manual.mk | sort | awk -F '\t' '{printf "  %-14s %s\n", $$1, $$2}'

-include $(shell find $(BUILD)/obj $(T)/obj $(F)/obj -name '*.d' 2>/dev/null)
.PHONY: all version-now test-programs unit asan check lint fuzz bench demo coverage format man deps deps-test deps-fuzz dist install uninstall clean help
.SECONDARY:
