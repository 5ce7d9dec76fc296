#pragma once

#include <tenure/queue/records.hpp>

#include <string>
#include <string_view>

// What is said of each reason, to people: in one table, by `why` and by lists.
namespace tenure::cli {

// Of a job that waits what it waits for, of one that has ended what decided it: "a worker that knows the kind".
[[nodiscard]] std::string reason_text(queue::JobReason reason, const queue::JobRecord& job);

// What has to happen where no time is known: "a worker process of its pools has a handler for mail.send". Empty where a time says it, or
// nothing will.
[[nodiscard]] std::string until_text(queue::JobReason reason, const queue::JobRecord& job);

// The command that changes it; empty where there is none.
[[nodiscard]] std::string change_text(queue::JobReason reason, const queue::JobRecord& job);

}  // namespace tenure::cli
