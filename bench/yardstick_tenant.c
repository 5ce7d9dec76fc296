#include "yardstick_tenant.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct yardstick_tenant {
  sqlite3* database;
  sqlite3_stmt* insert;
};

static void must(int is_right, const char* what) {
  if (is_right) return;
  fprintf(stderr, "yardstick: %s\n", what);
  exit(1);
}

static void run_sql(sqlite3* database, const char* sql) {
  must(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(database));
}

static sqlite3* open_file(const char* path) {
  sqlite3* database = NULL;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  must(sqlite3_open_v2(path, &database, flags, NULL) == SQLITE_OK, path);
  return database;
}

static void sync_path(const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC);
  must(file >= 0 && fsync(file) == 0, path);
  close(file);
}

void yardstick_tenant_create(const char* path, const char* statements) {
  char building[4096];
  char folder[4096];
  must(snprintf(building, sizeof building, "%s.new", path) < (int)sizeof building, "a path is too long");
  snprintf(folder, sizeof folder, "%s", path);
  sqlite3* database = open_file(building);
  run_sql(database, "pragma journal_mode = wal");
  run_sql(database, "begin immediate");
  run_sql(database, statements);
  run_sql(database, "commit");
  must(sqlite3_close(database) == SQLITE_OK, "a database is still in use");
  sync_path(building, O_RDWR);
  must(rename(building, path) == 0, path);
  sync_path(dirname(folder), O_RDONLY | O_DIRECTORY);
}

struct yardstick_tenant* yardstick_tenant_open(const char* path) {
  struct yardstick_tenant* tenant = calloc(1, sizeof *tenant);
  must(tenant != NULL, "there is no memory");
  tenant->database = open_file(path);
  run_sql(tenant->database, "pragma synchronous = full");
  run_sql(tenant->database, "select count(*) from sqlite_schema");
  return tenant;
}

void yardstick_tenant_write(struct yardstick_tenant* tenant, const char* text) {
  if (tenant->insert == NULL) {
    run_sql(tenant->database,
            "create table if not exists mark (number integer primary key, text text not null)");
    const int prepared = sqlite3_prepare_v3(tenant->database, "insert into mark (text) values (?)", -1,
                                            SQLITE_PREPARE_PERSISTENT, &tenant->insert, NULL);
    must(prepared == SQLITE_OK, sqlite3_errmsg(tenant->database));
  }
  run_sql(tenant->database, "begin immediate");
  sqlite3_bind_text(tenant->insert, 1, text, -1, SQLITE_STATIC);
  must(sqlite3_step(tenant->insert) == SQLITE_DONE, sqlite3_errmsg(tenant->database));
  sqlite3_reset(tenant->insert);
  run_sql(tenant->database, "commit");
}

void yardstick_tenant_close(struct yardstick_tenant* tenant) {
  sqlite3_finalize(tenant->insert);
  must(sqlite3_close(tenant->database) == SQLITE_OK, "a database is still in use");
  free(tenant);
}
