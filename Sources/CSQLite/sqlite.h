// SQLite and, as `gh_<name>`, what Swift cannot import: functions with a variable argument list.
#ifndef GATEHOUSE_SQLITE_H
#define GATEHOUSE_SQLITE_H
#include <sqlite3.h>

// Whether closing leaves the log as it is, in place of folding it into the file.
static inline int gh_sqlite3_keep_log_at_close(sqlite3 *database, int keep) { return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, (int *)0); }
#endif
