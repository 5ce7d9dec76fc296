#pragma once

#include "show_text.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/capture.hpp>
#include <tenure/queue/store.hpp>

#include <string>
#include <vector>

// Requests for capsules, as several verbs tell of them.
namespace tenure::cli {

// The requests that may still be met: a dispatcher removes the others, and while none runs they stay in the store.
[[nodiscard]] std::vector<queue::CaptureRecord> open_captures(queue::JobReader& reader, WallTime now);
// The same of one job alone, and of no kind or tenant.
[[nodiscard]] std::vector<queue::CaptureRecord> captures_of(queue::JobReader& reader, queue::JobId job,
                                                            WallTime now);
// "job 019c...", "kind billing.close", "kind billing.close of tenant acme", "tenant acme".
[[nodiscard]] std::string target_text(const queue::CaptureTarget& target);
// Number 0 is of one that is not kept. "request 3: the next 2 runs of kind billing.close that fail, until ...".
[[nodiscard]] std::string request_text(const queue::CaptureRecord& request, const ShowStyle& style);
// An object with all of it.
void write_request(json::Writer& writer, const queue::CaptureRecord& request);
// What became of a run: "FILE", or why there is none.
[[nodiscard]] std::string capsule_text(const queue::CapsuleNote& note, const ShowStyle& style);
void write_capsule_note(json::Writer& writer, const queue::CapsuleNote& note);

}  // namespace tenure::cli
