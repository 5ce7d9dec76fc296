#include "yardstick.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static const int kBusyWaitMs = 60000;

enum { kBegin, kCommit, kEnqueue, kClaim, kFinish, kStatements };

static const char* const kSql[kStatements] = {
    "begin immediate",
    "commit",
    "insert into job(ready, priority, due_us, tenant, payload) values (1, 0, 0, ?1, ?2)",
    "update job set ready = 0 where seq in (select seq from job where ready = 1 order by priority, due_us, seq limit ?1)"
    " returning seq, payload",
    "delete from job where seq = ?1",
};

static const char* const kSchema =
    "create table if not exists job(seq integer primary key, ready integer not null, priority integer not null,"
    " due_us integer not null, tenant integer not null, payload blob not null);"
    "create index if not exists job_ready on job(priority, due_us, seq) where ready = 1;";

struct yardstick {
  sqlite3* database;
  sqlite3_stmt* statements[kStatements];
};

static void require(const struct yardstick* yardstick, int code, int wanted) {
  if (code == wanted) return;
  fprintf(stderr, "yardstick: SQLite says %d: %s\n", code, sqlite3_errmsg(yardstick->database));
  exit(1);
}

static void execute(struct yardstick* yardstick, const char* sql) {
  require(yardstick, sqlite3_exec(yardstick->database, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void run(struct yardstick* yardstick, int index) {
  require(yardstick, sqlite3_step(yardstick->statements[index]), SQLITE_DONE);
  sqlite3_reset(yardstick->statements[index]);
}

struct yardstick* yardstick_open(const char* path, enum yardstick_sync sync, int checkpoint_pages) {
  struct yardstick* yardstick = calloc(1, sizeof *yardstick);
  if (yardstick == NULL) abort();
  require(yardstick, sqlite3_open(path, &yardstick->database), SQLITE_OK);
  sqlite3_busy_timeout(yardstick->database, kBusyWaitMs);
  execute(yardstick, "pragma journal_mode = wal");
  yardstick_set_sync(yardstick, sync);
  sqlite3_wal_autocheckpoint(yardstick->database, checkpoint_pages);
  execute(yardstick, kSchema);
  for (int i = 0; i < kStatements; ++i)
    require(yardstick,
            sqlite3_prepare_v3(yardstick->database, kSql[i], -1, SQLITE_PREPARE_PERSISTENT, &yardstick->statements[i],
                               NULL),
            SQLITE_OK);
  return yardstick;
}

void yardstick_close(struct yardstick* yardstick) {
  for (int i = 0; i < kStatements; ++i) sqlite3_finalize(yardstick->statements[i]);
  require(yardstick, sqlite3_close(yardstick->database), SQLITE_OK);
  free(yardstick);
}

void yardstick_set_sync(struct yardstick* yardstick, enum yardstick_sync sync) {
  execute(yardstick, sync == YARDSTICK_FULL ? "pragma synchronous = full" : "pragma synchronous = normal");
}

void yardstick_enqueue(struct yardstick* yardstick, const int64_t* tenants, size_t count, const void* payload,
                       size_t size) {
  sqlite3_stmt* statement = yardstick->statements[kEnqueue];
  run(yardstick, kBegin);
  for (size_t i = 0; i < count; ++i) {
    sqlite3_bind_int64(statement, 1, tenants[i]);
    sqlite3_bind_blob64(statement, 2, payload, size, SQLITE_STATIC);
    run(yardstick, kEnqueue);
  }
  run(yardstick, kCommit);
}

size_t yardstick_claim(struct yardstick* yardstick, int64_t* claimed, size_t count) {
  sqlite3_stmt* statement = yardstick->statements[kClaim];
  size_t found = 0;
  run(yardstick, kBegin);
  sqlite3_bind_int64(statement, 1, (sqlite3_int64)count);
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    claimed[found++] = sqlite3_column_int64(statement, 0);
    if (sqlite3_column_blob(statement, 1) == NULL) abort();
  }
  require(yardstick, code, SQLITE_DONE);
  sqlite3_reset(statement);
  run(yardstick, kCommit);
  return found;
}

void yardstick_finish(struct yardstick* yardstick, const int64_t* claimed, size_t count) {
  run(yardstick, kBegin);
  for (size_t i = 0; i < count; ++i) {
    sqlite3_bind_int64(yardstick->statements[kFinish], 1, claimed[i]);
    run(yardstick, kFinish);
  }
  run(yardstick, kCommit);
}
