#pragma once

#include <tenure/queue/store.hpp>

#include <cstddef>
#include <string>
#include <string_view>

// The keys of a job and its batch in a row of an outbox, as one line of JSON. Internal.
namespace tenure::queue {

[[nodiscard]] inline bool has_keys(const NewJob& job) { return job.concurrency || job.unique || job.batch; }

// Both keys, each byte of them escaped as \u00XX at the most, the id of its batch, and what stands around them.
inline constexpr std::size_t kKeysTextMax = 2 * 6 * kJobKeyMax + 260;

[[nodiscard]] std::string keys_text(const NewJob& job);
// Into `job`. BadPayload, whose message begins with its reason, for any text that keys_text does not write.
[[nodiscard]] Result<void> read_keys(std::string_view text, NewJob& job);

}  // namespace tenure::queue
