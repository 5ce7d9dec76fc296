#pragma once

// The yardstick of tenants' databases: a file made, opened and written in plain C, with the same durability. It is no part of Tenure.
// Failures: a message on stderr and exit(1). Threads: one at a time for each file.

#ifdef __cplusplus
extern "C" {
#endif

// Builds the database beside `path`, of these statements in one transaction, syncs it and renames it into its place.
void yardstick_tenant_create(const char* path, const char* statements);

struct yardstick_tenant;
// Opens it and reads its first row.
struct yardstick_tenant* yardstick_tenant_open(const char* path);
// One row of the table `mark`, on disk when it returns.
void yardstick_tenant_write(struct yardstick_tenant* tenant, const char* text);
void yardstick_tenant_close(struct yardstick_tenant* tenant);

#ifdef __cplusplus
}
#endif
