#pragma once

#include <string>

namespace tenure::queue {

struct NewJob;

// The concurrency and unique key that a job states, and its batch, as one line of JSON (docs/formats/tenant-database.md); empty where it has
// none of them. Threads: any.
[[nodiscard]] std::string stated_keys_text(const NewJob& job);

}  // namespace tenure::queue
