# The manual pages and the shell completion, filled from the program's tables by tools/manual.c. Included by the Makefile.
PAGES      = $(BUILD)/man/dcvagent.8 $(BUILD)/man/dcvagent.ini.5
COMPLETION = $(BUILD)/dcvagent.bash-completion

## pages: manual pages and bash completion, build/man and build/dcvagent.bash-completion
pages: $(PAGES) $(COMPLETION)

# It includes agent/cmd/parse.c itself, to see the table of global options.
$(BUILD)/manual: $(BUILD)/obj/tools/manual.o $(filter-out $(BUILD)/obj/agent/cmd/parse.o,$(OBJ))
	$(CC) $(LINK) -o $@ $^ $(LIBS)

DESCRIPTIONS = $(wildcard conf/providers/*.ini)

$(BUILD)/man/%: man/%.in $(BUILD)/manual $(DESCRIPTIONS)
	@mkdir -p $(@D)
	$(BUILD)/manual $< > $@

$(COMPLETION): tools/completion.bash.in $(BUILD)/manual $(DESCRIPTIONS)
	$(BUILD)/manual $< > $@

.PHONY: pages
