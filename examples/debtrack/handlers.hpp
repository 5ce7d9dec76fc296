#pragma once

#include "jobs.hpp"

#include <tenure/jobs/registry.hpp>

// How the jobs of debtrack are performed: for the worker program and for its tests.
namespace debtrack {

void import_package(const ImportPackage& job, tenure::JobContext& context);
void summarise(const Summarise& job, tenure::JobContext& context);
void write_digest(const WriteDigest& job, tenure::JobContext& context);

void add_jobs(tenure::JobRegistry& jobs);

}  // namespace debtrack
