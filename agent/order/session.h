/* session.h: what a command works with: configuration, store, network, discovery, the ledger's pump. Opened in that order, closed in reverse. */
#ifndef DCV_ORDER_SESSION_H
#define DCV_ORDER_SESSION_H

#include <stdbool.h>

#include "base/err.h"

struct conf;
struct net;
struct publish;
struct store;
struct zones;

struct session {
    struct conf *conf;
    const char *state_dir;
    struct store *store;
    struct net *net;
    struct zones *zones;
    struct publish *publish;
    bool writer, locked;
};

enum session_part {
    SESSION_READ = 0,    /* configuration and a reader of the store */
    SESSION_WRITE = 1,   /* writer of the store (short transactions), no lock */
    SESSION_LOCK = 2,    /* the run lock as well; machine checked */
    SESSION_NET = 4,     /* net and zones; publish where the store is a writer */
    SESSION_TOLERANT = 8 /* fatal faults of the configuration do not stop it (status, config check) */
};

/* config: path or NULL (environment, then the default); state_dir: --state-dir or NULL. Started as root with a state_dir that another user owns, the process becomes
 * that user before opening anything. Faults of single sections are left in conf for those who use them. */
bool session_open(struct session *s, const char *config, const char *state_dir, unsigned parts, struct err *e);
void session_close(struct session *s);

/* The configuration alone, with all its faults, as the owner of state_dir would see it. The caller frees. */
struct conf *session_conf(const char *config, struct err *e);

const char *session_config_path(const char *config); /* --config, $DCVAGENT_CONFIG, /etc/dcvagent/dcvagent.ini */

/* May the agent write in key_backup_dir, where one is set? Looked at before a CA is asked: without a copy of its key no CSR leaves. Else BACKUP_FOLDER. */
bool session_backup_folder(const struct session *s, struct err *e);

/* Runs the loop until the ledger's pump has nothing more to do, the deadline is over or a signal came: gc, txt, forget. Commits each turn. Over as soon as
 * enough() (NULL: never) says so after a turn: what others still have in the ledger (a dead server's zone) is left to the next run. */
bool session_pump_until(struct session *s, int64_t deadline_s, bool (*enough)(void *arg), void *arg, struct err *e);

#endif
