#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/types.hpp>

#include <string_view>

namespace tenure::queue {

// The same for the same text: a UUID of version 7 of that time, whose other bits are the text's hash.
[[nodiscard]] JobId derived_job_id(std::string_view text, WallTime time);

}  // namespace tenure::queue
