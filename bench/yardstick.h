#pragma once

// The yardstick of the benchmarks: a job queue in plain C over the same SQLite library, as fast as its short code can be.
// One table of jobs with a partial index on the ready ones; a claim marks k rows in one transaction, a finish deletes
// them in another. No tenants' rules, no tokens, no history, no ids but row numbers. It is no part of Tenure and nothing to
// build on. Failures: a message on stderr and exit(1).
// Threads: one at a time, but yardstick_group_enqueue() from any.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yardstick_sync { YARDSTICK_NORMAL = 1, YARDSTICK_FULL = 2 };  // the values of SQLite's `synchronous`

struct yardstick;

// Makes the database where there is none. `checkpoint_pages` is SQLite's wal_autocheckpoint: 1000 is its default, 0 never.
struct yardstick* yardstick_open(const char* path, enum yardstick_sync sync, int checkpoint_pages);
void yardstick_close(struct yardstick* yardstick);
void yardstick_set_sync(struct yardstick* yardstick, enum yardstick_sync sync);

// One commit for `count` jobs, one for each of `tenants`, all with the same payload.
void yardstick_enqueue(struct yardstick* yardstick, const int64_t* tenants, size_t count, const void* payload, size_t size);

// One commit. Fills `claimed` with at most `count` row numbers, reads their payloads, and returns how many there were.
size_t yardstick_claim(struct yardstick* yardstick, int64_t* claimed, size_t count);
// One commit.
void yardstick_finish(struct yardstick* yardstick, const int64_t* claimed, size_t count);

// Group commit: callers that come while a commit is under way share the next one.
struct yardstick_group;
struct yardstick_group* yardstick_group_open(struct yardstick* yardstick);
void yardstick_group_close(struct yardstick_group* group);
// Returns when the job is committed, and so on disk with YARDSTICK_FULL.
void yardstick_group_enqueue(struct yardstick_group* group, int64_t tenant, const void* payload, size_t size);

#ifdef __cplusplus
}
#endif
