#pragma once

#include "session.hpp"
#include "show_text.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/batch.hpp>

#include <optional>
#include <string>
#include <string_view>

// Batches, as several verbs tell of them.
namespace tenure::cli {

// BadOptions for what is no id.
[[nodiscard]] BatchId batch_id(std::string_view word);
// RecordNotFound.
[[nodiscard]] queue::BatchRecord find_batch(Session& session, BatchId id);
// What it waits for, "" for nothing: "is closed (tenure ...)", "3 of 10 members".
[[nodiscard]] std::string batch_waits_text(const queue::BatchRecord& batch, const ShowStyle& style);
// Of a job that is a member of it: "019c..., import, closed: 3 of 10 members have ended".
[[nodiscard]] std::string member_text(const queue::BatchRecord& batch, const ShowStyle& style);
// "complete, 2026-11-30 ...": of one of its callbacks.
[[nodiscard]] std::string callback_text(const queue::BatchRecord& batch, queue::BatchMoment moment,
                                        const ShowStyle& style);

// A member of an object, null where there is none.
void write_callback(json::Writer& writer, std::string_view key,
                    const std::optional<queue::CallbackRecord>& callback);

// What `tenure why` says where the id names a batch, or a job that one is yet to make; nothing: neither.
[[nodiscard]] std::optional<ExitCode> why_of_batch(Session& session, Uuid id);

}  // namespace tenure::cli
