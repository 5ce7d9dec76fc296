#pragma once

#include "session.hpp"
#include "show_text.hpp"

#include <tenure/queue/fan_out.hpp>

#include <string>
#include <string_view>

// Fan-outs, as several verbs tell of them.
namespace tenure::cli {

// BadOptions for what is no id.
[[nodiscard]] BatchId fan_out_id(std::string_view word);
// RecordNotFound.
[[nodiscard]] queue::FanOutRecord find_fan_out(Session& session, BatchId id);
// What it waits for, "" for nothing: "2 tenants to be visited, and 3 jobs to end".
[[nodiscard]] std::string fan_out_waits_text(const queue::FanOutRecord& fan_out, const ShowStyle& style);
// "over 2 h, at most 10/1s start, the next tenant ...", "" for as fast as it goes.
[[nodiscard]] std::string fan_out_pace_text(const queue::FanOutRecord& fan_out, const ShowStyle& style);
// Of a job of it: "019c..., rebuild, visiting: 3 of 10 tenants".
[[nodiscard]] std::string fan_out_text(const queue::FanOutRecord& fan_out, const ShowStyle& style);

}  // namespace tenure::cli
