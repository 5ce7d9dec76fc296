#include "why.hpp"

#include "batch.hpp"
#include "counted_reasons.hpp"
#include "explained_job.hpp"
#include "explained_job_text.hpp"
#include "job.hpp"
#include "listing.hpp"
#include "nouns.hpp"
#include "quiet_pools.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/filter.hpp>

#include <fmt/format.h>

#include <array>

// The verb: of one job all that is in its way, of many the deciding reasons, counted.
namespace tenure::cli {
namespace {

std::string_view word_of(const CountedReason& row) { return row.is_quiet ? kPoolQuiet : name_of(row.reason); }

constexpr std::array kReasonColumns{
    ListColumn<CountedReason>{"reason", "REASON",
                              [](const CountedReason& r, const ShowStyle&) {
                                return r.reason == queue::JobReason::none ? "-" : std::string(word_of(r));
                              },
                              false, true},
    ListColumn<CountedReason>{
        "state", "STATE",
        [](const CountedReason& r, const ShowStyle&) { return std::string(name_of(r.state)); }},
    ListColumn<CountedReason>{
        "jobs", "JOBS", [](const CountedReason& r, const ShowStyle& s) { return number_text(r.jobs, s); },
        true},
    ListColumn<CountedReason>{
        "first_due", "FIRST DUE",
        [](const CountedReason& r, const ShowStyle& s) { return time_text(r.first_due, s); }},
    ListColumn<CountedReason>{
        "last_due", "LAST DUE",
        [](const CountedReason& r, const ShowStyle& s) { return time_text(r.last_due, s); }, false, false,
        false},
    ListColumn<CountedReason>{
        "filter", "FILTER", [](const CountedReason& r, const ShowStyle&) { return escaped(r.filter, 4096); }},
};

void write_counted(json::Writer& writer, const CountedReason& row, WallTime) {
  writer.begin_object().key("reason").string(word_of(row));
  writer.key("state").string(name_of(row.state)).key("jobs").integer(row.jobs);
  write_time(writer, "first_due", row.first_due);
  write_time(writer, "last_due", row.last_due);
  write_text(writer, "filter", row.filter);
  writer.end_object();
}

std::vector<QuietPool> quiet_pools(Session& session) {
  return session.is_offline() ? std::vector<QuietPool>{} : ask_for_quiet_pools(session).quiet;
}

CountedReasons read_reasons(Session& session, std::span<const std::string> words, std::int64_t looks,
                            std::span<const QuietPool> quiet, WallTime now) {
  const JobsToCount jobs{.words = words,
                         .filter = without_succeeded(
                             value_or_raise(queue::parse_filter(words, queue::job_filter_fields(), now))),
                         .looks = looks,
                         .quiet = quiet};
  CountedReasons all;
  session.readable_store().read([&](queue::JobReader& reader) { all = counted_reasons(reader, jobs, now); });
  return all;
}

ExitCode count_reasons(Session& session) {
  const std::vector<QuietPool> quiet = quiet_pools(session);
  const CountedReasons all = read_reasons(session, session.words(), looks_max(session), quiet, session.now());
  const ExitCode code = print_list<CountedReason>(session, "tenure.job.why.list/1", {"reason", "reasons"},
                                                  kReasonColumns, all.rows, all.total, write_counted);
  if (!session.json())
    for (const QuietPool& pool : quiet) session.note(text_of(pool) + ": " + command_of(pool));
  return code;
}

// A word that is no term can only have been meant as an id.
void refuse_what_is_neither(std::span<const std::string> words) {
  for (const std::string& word : words) {
    if (is_filter_term(word)) continue;
    if (Uuid::parse(word) || is_global_id(word))
      raise(ErrorCode::bad_options,
            fmt::format("why takes one job id alone, or a filter; of several jobs say id={},{},...",
                        kJobIdExample, kJobIdExample));
    raise(ErrorCode::bad_options,
          fmt::format("'{}' is neither a job id like {} nor a filter term like state=dead", escaped(word, 64),
                      kJobIdExample));
  }
}

}  // namespace

ListWords why_words() {
  return {queue::job_filter_fields(), {}, column_names<CountedReason>(kReasonColumns)};
}

std::string reasons_text(Session& session, std::span<const std::string> words, const TableStyle& style,
                         WallTime now) {
  const CountedReasons all = read_reasons(session, words, kLooksMaxDefault, quiet_pools(session), now);
  ShowStyle shown = session.style();
  shown.now = now;
  return list_text<CountedReason>(chosen_columns<CountedReason>(kReasonColumns, session), all.rows, shown,
                                  style);
}

ExitCode job_why(Session& session) {
  const auto words = session.words();
  if (words.size() != 1 || (!Uuid::parse(words.front()) && !is_global_id(words.front()))) {
    refuse_what_is_neither(words);
    return count_reasons(session);
  }
  for (const std::string_view option : {"columns", "scan", "fail-if-any"})
    if (session.has(option))
      raise(ErrorCode::bad_options, fmt::format("--{} is for a filter, and not for one job", option));
  const queue::JobId id = job_id(session, words.front());
  if (const auto answered = why_of_batch(session, id.uuid)) return *answered;
  const ExplainedJob job = find_and_explain(session, id);
  if (session.json()) session.print_json(explained_json(job));
  else session.print(explained_text(job, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
