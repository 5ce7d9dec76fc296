#pragma once

#include "jobs.hpp"

#include <tenure/jobs/registry.hpp>

#include <string>
#include <string_view>

// How the jobs of debtrack are performed: for the worker program and for its tests.
namespace debtrack {

void import_package(const ImportPackage& job, tenure::JobContext& context);
void summarise(const Summarise& job, tenure::JobContext& context);
void write_digest(const WriteDigest& job, tenure::JobContext& context);

// Where a package lies in the archive's pool: "a", but "libx" for libxml2.
std::string shelf_of(std::string_view package);
// The C++ half of 0002_shelves.sql.
void fill_shelves(tenure::TenantTransaction& transaction);

void add_jobs(tenure::JobRegistry& jobs);

}  // namespace debtrack
