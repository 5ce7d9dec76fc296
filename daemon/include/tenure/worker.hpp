#pragma once

// All that a worker program writes: handlers of jobs, what they may know and do, and the rest of its main. Link tenure::worker.
#include <tenure/base/error.hpp>
#include <tenure/daemon/worker.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/bind_tenant.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/ref.hpp>
#include <tenure/tenancy/scope.hpp>
