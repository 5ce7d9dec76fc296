#pragma once

// All that an application writes: jobs, the client that enqueues them, its tenants and their databases, Global IDs, errors.
// Link tenure::client.
#include <tenure/base/error.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/ref.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenants.hpp>
