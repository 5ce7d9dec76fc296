#pragma once

#include "listing.hpp"

#include <tenure/queue/records.hpp>

#include <span>
#include <string>
#include <string_view>

namespace tenure::cli {

// Counting goes no further; a greater count is shown as this one and a plus.
inline constexpr std::int64_t kCountMax = 1'000'000;

[[nodiscard]] std::span<const ListColumn<queue::JobRecord>> job_columns();

// Why it is in its state and until when: "retry in 41 s (SmtpTimeout)". Empty where the state says it all.
[[nodiscard]] std::string waits_for(const queue::JobRecord& job, const ShowStyle& style);

// Its members, inside an object that the caller opened.
void write_job_members(json::Writer& writer, const queue::JobRecord& job);

inline constexpr std::int64_t kLooksMaxDefault = 1'000'000;
// --scan: how many of the newest jobs are looked at for succeeded ones, where nothing else finds them.
[[nodiscard]] std::int64_t looks_max(const Session& session);

// For verbs that tell of what waits or went wrong: succeeded jobs, the most by far, are left out unless the filter names states, reasons, ids or batches.
[[nodiscard]] queue::Filter without_succeeded(queue::Filter filter);
[[nodiscard]] bool names_states(const queue::Filter& filter);

// Where a page of jobs ended, for --after; BadOptions for what is no such text.
[[nodiscard]] std::string cursor_of(queue::JobSeq seq);
[[nodiscard]] queue::JobSeq parse_cursor(std::string_view text);

inline constexpr std::string_view kJobIdExample = "019cae08-9913-7c12-9a44-5b0d7e1f20c3";

// Whether a word is meant as a Global ID, as handlers give it to others.
[[nodiscard]] inline bool is_global_id(std::string_view word) { return word.starts_with("gid:"); }
// Whether a word is meant as a term of a filter, and not as an id.
[[nodiscard]] inline bool is_filter_term(std::string_view word) {
  return !is_global_id(word) && word.find('=') != std::string_view::npos;
}

// By its UUID or its Global ID. BadOptions for what is no id; JobNotFound: the Global ID is of another application, or names another tenant
// than the job's, so that it says nothing of that one.
[[nodiscard]] queue::JobId job_id(Session& session, std::string_view word);

}  // namespace tenure::cli
