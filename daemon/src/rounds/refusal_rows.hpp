#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <string>

// Rows of the audit about jobs that were refused at a tenant's border, as by whom the daemon is: for the parts of rounds only.
namespace tenure::daemon {

void append_refusal(queue::StoreWriter& writer, std::string subject, std::int64_t count, std::string reason,
                    WallTime now);

}  // namespace tenure::daemon
