#pragma once

// All that a test of an application needs of Tenure, for any test framework: the world, what it asks of jobs, faults. Link tenure::testing.
// <tenure/testing/job_test.hpp> has a fixture for GoogleTest besides; link tenure::testing_gtest for it.
#include <tenure/client.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/testing/crash_everywhere.hpp>
#include <tenure/testing/faults.hpp>
#include <tenure/testing/runs.hpp>
#include <tenure/testing/where.hpp>
#include <tenure/testing/world.hpp>
